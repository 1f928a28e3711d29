"""What strategies get to see of a project, and what is refused before a run starts."""

import numpy as np
import pytest
import torch
from collections_made import CLASSES, write_npy

from budgetal.annotators.oracle import Oracle
from budgetal.errors import ConfigError, DataError
from budgetal.project import Project
from budgetal.query import SUPPLIES
from budgetal.simulate import run, true_labels

SETTINGS = {"budget": 40, "audit": 20, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 120)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("others"), 30, seed=9)


@pytest.fixture(scope="module")
def learnt(images, others, tmp_path_factory):
    """A project after its run, with source and target images."""
    folder = tmp_path_factory.mktemp("learnt") / "project"
    more = {"source_images": str(others), "target_images": str(others), "n_passes": 3, "dropout": 0.99}
    project = Project.create(folder, images=str(images), **SETTINGS, **more)
    run(project, Oracle(true_labels(project)))
    yield project
    project.close()


def view(project, *needs):
    rows = project.learner.open_rows(project.state)
    return project.learner.views.view(project.state, rows, 1, needs), rows


def test_every_need_is_supplied(learnt):
    seen, rows = view(learnt, *SUPPLIES)
    n, classes = len(rows), len(CLASSES)
    assert seen.passes.shape == seen.committee.shape == (3, n, classes)
    assert seen.labelled_probs.shape == (seen.n_labelled, classes)
    assert [len(layer) for layer in seen.layers] == [n, n, n]
    assert [layer.shape[1] for layer in seen.source.layers] == [layer.shape[1] for layer in seen.layers]
    assert seen.target_embeddings.shape == seen.source.embeddings.shape == (30, seen.embeddings.shape[1])


def test_nothing_is_supplied_that_was_not_asked_for(learnt):
    seen, _ = view(learnt, "probs")
    assert seen.passes is seen.committee is seen.source is seen.layers is seen.target_embeddings is None


def test_labels_are_those_that_people_gave_outside_the_audit(learnt):
    seen, _ = view(learnt, "labelled_targets")
    ids = sorted(set(learnt.state.labels) - set(learnt.state.audit))
    assert [CLASSES[target] for target in seen.labelled_targets] == [learnt.state.labels[i].label for i in ids]


def test_source_labels_are_indices_of_the_project_s_classes_where_they_are_the_same(learnt):
    seen, _ = view(learnt, "shared_source")
    labels = [sample.label for sample in learnt.workspace.source.samples]
    assert [CLASSES[target] for target in seen.source.targets] == labels


def test_passes_scatter_about_what_the_model_says_and_repeat_for_a_seed(learnt):
    seen, _ = view(learnt, "passes")
    again, _ = view(learnt, "passes")
    assert torch.equal(seen.passes, again.passes)
    agreement = (seen.passes.float().mean(dim=0).argmax(dim=1) == seen.probs.argmax(dim=1)).float().mean()
    assert float(agreement) > 0.6
    assert not torch.equal(seen.passes[0], seen.passes[1])


def test_an_ensemble_takes_the_place_of_dropout_where_it_is_set(images, tmp_path):
    project = Project.create(tmp_path / "p", images=str(images), **SETTINGS, passes="ensemble", n_passes=2)
    run(project, Oracle(true_labels(project)))
    seen, _ = view(project, "passes", "committee")
    assert torch.equal(seen.passes, seen.committee)
    project.close()


@pytest.mark.parametrize(
    ("strategy", "message"),
    [("gp_transfer", "set source_images to"), ("source_queries", "set target_images to")],
)
def test_a_strategy_says_what_it_lacks_before_the_run_starts(images, tmp_path, strategy, message):
    with pytest.raises(ConfigError, match=f"Strategy '{strategy}' needs .*: {message}"):
        Project.create(tmp_path / "p", images=str(images), strategy=strategy, **SETTINGS)
    assert not (tmp_path / "p" / "journal.db").exists()


def test_source_images_of_other_classes_are_refused_where_classes_must_be_shared(images, tmp_path):
    source = write_npy(tmp_path / "source", 20)
    names = [f"other {name}" for name in CLASSES]
    (source / "classes.txt").write_text("\n".join(names), encoding="utf-8")
    with pytest.raises(ConfigError, match="needs source images of the project's classes"):
        Project.create(
            tmp_path / "p", images=str(images), strategy="gp_transfer", source_images=str(source), **SETTINGS
        )


def test_source_images_of_other_classes_are_refused_when_the_strategy_is_changed_under_way(images, tmp_path):
    source = write_npy(tmp_path / "source", 20)
    (source / "classes.txt").write_text("\n".join(f"other {name}" for name in CLASSES), encoding="utf-8")
    project = Project.create(tmp_path / "p", images=str(images), source_images=str(source), **SETTINGS)
    run(project, Oracle(true_labels(project)))
    project.configure(strategy="gp_transfer", budget=50)
    with pytest.raises(ConfigError, match="needs source images of the project's classes"):
        project.ask()
    project.close()


def test_changed_source_images_are_embedded_anew(images, tmp_path):
    source = write_npy(tmp_path / "source", 20, seed=3)
    folder = tmp_path / "p"
    project = Project.create(folder, images=str(images), source_images=str(source), **SETTINGS)
    before = view(project, "source")[0].source
    project.close()
    write_npy(source, 20, seed=4)
    again = Project.open(folder)
    after = view(again, "source")[0].source
    assert after.embeddings.shape == before.embeddings.shape
    assert not torch.equal(after.embeddings, before.embeddings)
    again.close()


def test_a_network_without_layers_is_refused_before_the_run_starts(images, others, tmp_path, monkeypatch):
    def none_found(_classifier, side):
        raise ConfigError(f"no layers at {side} pixels")

    monkeypatch.setattr("budgetal.engine.local.depths", none_found)
    settings = {**SETTINGS, "images": str(images), "source_images": str(others)}
    with pytest.raises(ConfigError, match="no layers at 32 pixels"):
        Project.create(tmp_path / "p", strategy="model_adaptation", **settings)
    assert not (tmp_path / "p" / "journal.db").exists()
    Project.create(tmp_path / "q", **settings).close()


@pytest.mark.parametrize("strategy", ["bald", "committee"])
def test_queries_are_random_as_long_as_there_is_no_model(images, tmp_path, strategy):
    """Nobody could label the first query, so nothing was fitted."""
    project = Project.create(tmp_path / "p", images=str(images), strategy=strategy, **SETTINGS)
    oracle = Oracle(true_labels(project))
    for sample_id in project.ask().sample_ids:
        project.skip(sample_id)
    project.tell(oracle.annotate(project.ask()))
    assert project.state.model is None
    query = project.ask()
    assert (query.purpose, len(query.sample_ids)) == ("round", 10)
    run(project, oracle)
    assert project.state.model is not None
    project.close()


def test_source_images_without_labels_are_refused(images, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    np.save(source / "images.npy", np.load(images / "images.npy")[:5])
    with pytest.raises(DataError, match="Every source image needs a label"):
        Project.create(tmp_path / "p", images=str(images), source_images=str(source), **SETTINGS)
