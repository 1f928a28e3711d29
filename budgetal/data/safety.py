"""Which files of a folder may be opened at all."""

import os
import stat
from pathlib import Path

from budgetal.data.images import MAX_BYTES

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
# Known as images, so leaving them out unsaid would surprise; SVG can also reach files and hosts.
REFUSED_SUFFIXES = frozenset(
    {".svg", ".svgz", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".psd", ".ico", ".eps", ".dng", ".dcm"}
)


def refusal(root: Path, path: str) -> str | None:
    """Why the file `path`, relative to `root`, must not be opened; None when it may.

    `root` must be a real path (no symbolic links in it). A link may point anywhere inside `root`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        return f"{suffix or 'a name without a suffix'} is not a supported image format"
    if not is_text(path):
        return "the file name is not valid UTF-8"
    real = Path(os.path.realpath(root / path))
    if not real.is_relative_to(root):
        return "the path or a symbolic link leads out of the folder"
    return _refused_status(real)


def is_text(path: str) -> bool:
    """Whether a file name can be written to a UTF-8 file; on Linux a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str) -> str:
    """The name with bytes that are not UTF-8 shown as escapes."""
    return path.encode("utf-8", "backslashreplace").decode()


def _refused_status(real: Path) -> str | None:
    try:
        status = real.stat()
    except (OSError, ValueError) as error:
        return f"cannot be opened: {getattr(error, 'strerror', None) or error}"
    # Opening a pipe or a device could wait for ever.
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size > MAX_BYTES:
        return f"the file has {status.st_size:,} bytes, more than {MAX_BYTES:,}"
    return None
