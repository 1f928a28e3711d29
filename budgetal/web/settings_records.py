"""What an owner's programs send and receive, version 1."""

from typing import Annotated, Any

from pydantic import Field

from budgetal.classes import Change
from budgetal.web.strict import Record

Name = Annotated[str, Field(min_length=1, max_length=256)]


class SettingInfo(Record):
    """One setting. kind: integer, number, text or other; why_fixed: why it cannot be changed, or null."""

    name: str
    value: Any
    kind: str
    choices: list[str] | None
    is_optional: bool
    meaning: str
    group: str | None
    why_fixed: str | None


class SettingsInfo(Record):
    """All settings. is_under_way: a model was judged and the run goes on, so a change counts as choosing the end."""

    settings: list[SettingInfo]
    is_under_way: bool


class SettingsRequest(Record):
    """New values, by setting. All are taken, or none."""

    changes: Annotated[dict[Name, Any], Field(min_length=1, max_length=64)]


class ClassInfo(Record):
    """A class, and the number of images that people say are of it."""

    name: str
    n: int


class ClassRequest(Record):
    """add: the new class; rename: old and new name; merge: which, and into which."""

    change: Change
    names: Annotated[list[Name], Field(min_length=1, max_length=2)]
    ask_again: bool = Field(default=False, description="have images answered none of these asked again")


class ClassesChanged(Record):
    """The new list, and how many images are asked again."""

    classes: list[ClassInfo]
    n_asked_again: int
