"""Blocks of rows, so that no kernel holds more than a block × n numbers at once."""

from collections.abc import Iterator

MAX_CELLS = 16_777_216  # 64 MiB of float32


def row_blocks(n_rows: int, row_width: int) -> Iterator[slice]:
    """Slices that cover `n_rows`, each with at most `MAX_CELLS` cells of rows `row_width` wide."""
    size = max(1, MAX_CELLS // max(1, row_width))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
