"""People's names: what can be kept, and which two people would take for one."""

import unicodedata

from budgetal.errors import ConfigError

LONGEST_NAME = 64


def check_name(annotator: str) -> str:
    """The name itself. Raises ConfigError for one that cannot be kept."""
    if not 1 <= len(annotator) <= LONGEST_NAME or not annotator.isprintable() or "/" in annotator:
        raise ConfigError(f"Cannot use the name {annotator!r}: 1 to {LONGEST_NAME} printable characters, and no slash")
    return annotator


def alike(name: str) -> str:
    """The same for names that people would take for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
