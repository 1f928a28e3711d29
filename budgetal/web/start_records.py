"""What the page that makes a project sends and receives."""

from typing import Annotated

from pydantic import Field

from budgetal.web.strict import Record

Name = Annotated[str, Field(min_length=1, max_length=255)]
Names = Annotated[list[Name], Field(max_length=64)]


class StartInfo(Record):
    """The project's name, which is its folder's, and the folders to choose from."""

    name: str
    roots: list[str]
    budget: int
    tolerance: float


class FolderInfo(Record):
    """A folder below a root. classes: where its subfolders label the images."""

    root: str
    names: list[str]
    folders: list[str]
    n_images: int
    n_refused: int
    classes: list[str]


class FolderRequest(Record):
    """A root and the names of folders below it, one by one."""

    root: Name
    names: Names = Field(default=[])


class StartRequest(FolderRequest):
    """The project to make. classes: empty for those that the subfolders say."""

    classes: list[Annotated[str, Field(max_length=256)]] = Field(default=[], max_length=1000)
    budget: int = Field(ge=1, le=10**9)
    tolerance: float = Field(gt=0, lt=1)
    given_labels: bool = False


class StartProgress(Record):
    """How far it is made."""

    doing: str
    done: int
    total: int
    problem: str | None
    is_ready: bool
