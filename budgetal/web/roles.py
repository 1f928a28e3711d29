"""Roles: what somebody may do. Each includes those below it."""

from enum import IntEnum

from budgetal.errors import BudgetalError, ConfigError


class Role(IntEnum):
    """An annotator labels and watches, a reviewer checks automatic labels, an owner decides everything else."""

    ANNOTATOR = 1
    REVIEWER = 2
    OWNER = 3

    @property
    def word(self) -> str:
        """As people read and type it."""
        return self.name.lower()


class RoleError(BudgetalError):
    """Somebody who is signed in asked for what their role does not include."""


def role_named(word: str) -> Role:
    """The role that a word stands for. Raises ConfigError."""
    for role in Role:
        if role.word == word:
            return role
    raise ConfigError(f"There is no role {word!r}: choose from {', '.join(role.word for role in Role)}")
