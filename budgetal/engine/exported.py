"""The model that a folder offers to those who only predict."""

from pathlib import Path

from budgetal.engine.saved import SavedModel, load_model
from budgetal.errors import ProjectError


def load_model_of(folder: Path) -> SavedModel:
    """Model of a project's folder, or of a folder that is a model: the `model/` of a project, copied anywhere.

    Raises ProjectError when there is none yet, StorageError when its files are damaged.
    """
    if (folder / "model.json").is_file():
        return load_model(folder)
    if not (folder / "model").is_dir():
        raise ProjectError(f"{folder} has no model yet: run it to its end first")
    return load_model(folder / "model")
