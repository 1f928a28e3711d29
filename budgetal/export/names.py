"""Names that are safe as one component of a path on Linux, macOS and Windows, and never collapse."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_BYTES = 180
"""File systems take 255 bytes; the rest is room for what tells two names apart."""

_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def safe_name(text: str) -> str:
    """`text` without separators, control characters, leading or trailing dots and reserved names."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))
    name = re.sub(r"^\.+", "_", name.strip(" ")).rstrip(". ")
    name = f"_{name}" if _RESERVED.match(name) else name
    return name.encode()[:MAX_BYTES].decode(errors="ignore").rstrip(". ") or "_"


def safe_names(texts: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Text → safe name, no two alike even where upper and lower case are one.

    A text that is safe as it stands keeps its name; the answer does not depend on the order of `texts`.
    """
    used = {name.casefold() for name in taken}
    names: dict[str, str] = {}
    for text in sorted(set(texts), key=lambda text: (safe_name(text) != text, text)):
        names[text] = free_name(safe_name(text), used)
    return names


def free_name(name: str, used: set[str]) -> str:
    """The first of `name`, `name-2`, `name-3` … (before the suffix) not in `used`; it is added there."""
    path = PurePosixPath(name)
    candidate, n = name, 1
    while candidate.casefold() in used:
        n += 1
        candidate = f"{path.stem}-{n}{path.suffix}"
    used.add(candidate.casefold())
    return candidate
