"""Checks every array shape that measures and query declare, in every test."""

import shutil

import faiss
import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook(["budgetal.measures", "budgetal.query"], "runtime_types.checked")

# Tests share few processors: a second thread would only wait.
torch.set_num_threads(1)
faiss.omp_set_num_threads(1)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """240 easy images of three classes."""
    from collections_made import write_npy

    return write_npy(tmp_path_factory.mktemp("images"), 240)


@pytest.fixture
def make(images, tmp_path, request):
    """Makes projects of these images with the test module's SETTINGS, and closes them."""
    from budgetal.project import Project

    made = []

    def create(name="project", **changes):
        made.append(Project.create(tmp_path / name, images=str(images), **(request.module.SETTINGS | changes)))
        return made[-1]

    yield create
    for project in made:
        project.close()


@pytest.fixture
def project(make):
    """One project of these images with the test module's SETTINGS."""
    return make()


@pytest.fixture(scope="module")
def finished_folder(images, tmp_path_factory, request):
    """The folder of a run with the test module's SETTINGS that came to its planned end; not to be changed."""
    from budgetal.annotators.oracle import Oracle
    from budgetal.project import Project
    from budgetal.simulate import run, true_labels

    folder = tmp_path_factory.mktemp("run") / "birds"
    project = Project.create(folder, images=str(images), **request.module.SETTINGS)
    run(project, Oracle(true_labels(project)))
    project.close()
    return folder


@pytest.fixture
def finished(finished_folder, tmp_path):
    """That run, for one test alone."""
    from budgetal.project import Project

    project = Project.open(shutil.copytree(finished_folder, tmp_path / "finished"))
    yield project
    project.close()
