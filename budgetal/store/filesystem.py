"""Which file systems can hold a journal: SQLite's shared memory and locks need a local one."""

import re
from pathlib import Path

from budgetal.errors import ProjectError

_MOUNTS = Path("/proc/mounts")
_NETWORK_TYPES = {
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "davfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
}
_NETWORK_FUSE_TYPES = {
    "fuse.ceph",
    "fuse.curlftpfs",
    "fuse.davfs2",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.juicefs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
}


def refuse_network_folder(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Raise ProjectError when `folder` is known to lie on a network file system."""
    if not mounts.exists():
        return
    kind = _type_of(folder.resolve(), mounts.read_text(errors="surrogateescape"))
    if kind in _NETWORK_TYPES | _NETWORK_FUSE_TYPES:
        raise ProjectError(
            f"Cannot keep a journal in {folder}: it is on a network file system ({kind}), "
            "where SQLite loses data. Move the project to a local disk"
        )


def _type_of(folder: Path, mounts: str) -> str | None:
    found: tuple[int, str | None] = (-1, None)
    for line in mounts.splitlines():
        _device, point, kind = line.split(" ")[:3]
        depth = len(Path(_unescape(point)).parts)
        # The deepest mount point counts, and of several on one folder the last.
        if folder.is_relative_to(_unescape(point)) and depth >= found[0]:
            found = (depth, kind)
    return found[1]


def _unescape(point: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point)
