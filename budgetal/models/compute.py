"""Which processor computes, and in which precision."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import torch

# Numbers in a matrix below which a fit takes seconds anyway, and two threads on a busy machine take minutes:
# each of thousands of small steps waits for the slower one.
_WORTH_THREADS = 64_000_000


@cache
def default_device() -> str:
    """`cuda` when torch sees a GPU that it can use, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def has_fast_bfloat16(device: str) -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere torch emulates it, slower than float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    flags = torch.cpu.get_capabilities()
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))


def autocast(device: str) -> AbstractContextManager[object]:
    """Context that computes convolutions and products in bfloat16 where that is fast, else changes nothing."""
    return torch.autocast(device, torch.bfloat16, enabled=has_fast_bfloat16(device))


@contextmanager
def threads_for(n_values: int) -> Iterator[None]:
    """Use one thread inside for small problems. The choice depends on the size alone, so bits repeat."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if n_values >= _WORTH_THREADS else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
