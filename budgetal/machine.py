"""What this machine can do: device, bf16, cores, memory, disk, SQLite, cached weights, versions."""

import os
import platform
import shutil
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from budgetal.models.compute import default_device, has_fast_bfloat16

FIXED_SQLITE = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""Releases without the WAL-reset bug, newest first: a version is safe at or above the one of its line."""


@dataclass(frozen=True)
class Finding:
    """One fact about the machine; `advice` is empty where nothing needs doing."""

    what: str
    value: str
    good: bool = True
    advice: str = ""


def examine() -> list[Finding]:
    """Every finding, the ones that decide speed first."""
    device = default_device()
    return [
        Finding("budgetal", version("budgetal")),
        Finding("Python", platform.python_version()),
        Finding("torch", torch.__version__),
        Finding("device", device, device != "cpu", "" if device != "cpu" else "use --finetune head on a CPU"),
        _bfloat16(device),
        Finding("cores", str(os.cpu_count())),
        _memory(),
        _disk(),
        _sqlite(),
        _weights(),
    ]


def _bfloat16(device: str) -> Finding:
    fast = has_fast_bfloat16(device)
    return Finding("bf16", "in hardware" if fast else "not in hardware", fast, "" if fast else "fp32 is used")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    enough = memory.available > 2e9
    text = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    return Finding("memory", text, enough, "" if enough else "close other programs before a large project")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free
    enough = free > 5e9
    return Finding("disk here", f"{free / 1e9:.0f} GB free", enough, "" if enough else "decoded images need space")


def _sqlite() -> Finding:
    numbers = tuple(int(part) for part in sqlite3.sqlite_version.split("."))
    fixed = any(numbers >= first and numbers[:2] == first[:2] for first in FIXED_SQLITE)
    fixed = fixed or numbers >= FIXED_SQLITE[0]
    advice = "" if fixed else "has the WAL-reset bug; budgetal checkpoints under its own lock, which avoids it"
    return Finding("SQLite", sqlite3.sqlite_version, True, advice)


def _weights() -> Finding:
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    cached = sorted(path.name for path in folder.glob("*.pth")) if folder.is_dir() else []
    return Finding("cached weights", ", ".join(cached) or "none: `--weights imagenet` downloads them once")
