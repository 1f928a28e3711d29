"""Projects that learn from images without labels: blind to audit answers, and refused where settings do not fit."""

import pytest
from collections_made import write_npy

from budgetal.annotators.oracle import Oracle
from budgetal.errors import ConfigError
from budgetal.simulate import run, true_labels

SETTINGS = {"budget": 44, "audit": 24, "initial": 10, "batch": 10, "tolerance": 0.3, "risk": 0.2, "guard": False}
SMALL = {"student_epochs": 1, "epochs": 1, "input_size": 32}
TRAINED = [
    {"finetune": "cotrain", "unlabelled": "flexmatch"},
    {"finetune": "cotrain", "unlabelled": "propagation"},
    {"finetune": "last_block", "unlabelled": "fixmatch"},
    {"finetune": "last_block", "adaptation": "mmd", "preset": "small", "start": "shrink"},
]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 60)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return str(write_npy(tmp_path_factory.mktemp("source"), 30, seed=5))


def models(project, lie):
    """Weights and audit of a project whose audit is answered truthfully, or with the next class."""
    truth, classes = true_labels(project), list(project.config.classes)
    told = dict(truth)
    for sample_id in lie or ():
        told[sample_id] = classes[(classes.index(truth[sample_id]) + 1) % len(classes)]
    run(project, Oracle(told, project.config.classes))
    return [event.data["weights"] for event in project._logbook.events() if event.kind == "fitted"], project.state.audit


@pytest.mark.parametrize("settings", TRAINED, ids=lambda settings: " ".join(settings.values()))
def test_no_audit_answer_reaches_training(settings, make, source):
    given = SMALL | settings | ({"source_images": source} if "adaptation" in settings else {})
    truthful, audit = models(make("truthful", **given), lie=())
    assert len(truthful) == 2
    assert len(set(truthful)) == 2
    false, same_audit = models(make("false", **given), lie=audit)
    assert false == truthful
    assert set(same_audit) == set(audit)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"unlabelled": "fixmatch"}, 'with finetune = "head".*cotrain, last_block or full'),
        ({"finetune": "full", "unlabelled": "propagation"}, "teach a student"),
        ({"finetune": "full", "unlabelled": "fixmatsch"}, "fixmatch"),
        ({"finetune": "full", "adaptation": "mmd"}, "without source_images"),
        ({"finetune": "head", "adaptation": "ddc", "source_images": "x"}, "last_block or full"),
        ({"finetune": "full", "adaptation": "ddc", "unlabelled": "fixmatch", "source_images": "x"}, "choose one"),
        ({"preset": "large"}, "preset"),
        ({"start": "cold"}, "start"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(settings, message, make):
    with pytest.raises(ConfigError, match=message) as error:
        make(**settings)
    assert "\n" not in str(error.value)


def test_a_source_of_other_classes_is_refused(make, tmp_path):
    other = write_npy(tmp_path / "other", 12)
    (other / "classes.txt").write_text("blue\ngreen\npurple\n")
    with pytest.raises(ConfigError, match="adaptation = 'mmd' needs source images of the project's classes"):
        make(finetune="full", adaptation="mmd", source_images=str(other))


def test_a_source_keeps_its_labels_when_a_class_is_renamed(make, source):
    project = make(**SMALL, finetune="full", adaptation="mmd", source_images=source)
    before = project.workspace.engine.fitting.source.targets
    project.change_classes("rename", "red", "scarlet")
    assert project.workspace.engine.fitting.source.targets.tolist() == before.tolist()


def test_a_way_to_train_is_fixed_with_the_project(make):
    with pytest.raises(ConfigError, match="'unlabelled' is fixed"):
        make().configure(unlabelled="fixmatch")
