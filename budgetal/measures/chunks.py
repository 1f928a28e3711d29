"""Blocks of rows, so that no kernel holds more than a block × n numbers at once."""

from collections.abc import Iterator

import torch

MAX_CELLS = 16_777_216  # 64 MiB of float32
CACHED_CELLS = 1_048_576  # 4 MiB: what a processor's caches hold while it is worked on


def row_blocks(n_rows: int, row_width: int, max_cells: int | None = None) -> Iterator[slice]:
    """Slices that cover `n_rows`, each with at most `max_cells` (or `MAX_CELLS`) cells of rows `row_width` wide."""
    size = max(1, (max_cells or MAX_CELLS) // max(1, row_width))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def cached_row_blocks(n_rows: int, row_width: int, device: torch.device) -> Iterator[slice]:
    """As `row_blocks`: small enough for the caches of a CPU, large enough to keep an accelerator busy."""
    return row_blocks(n_rows, row_width, CACHED_CELLS if device.type == "cpu" else MAX_CELLS)
