"""What the machine can do, measured: `python -m selection.limits` prints one line of JSON.

Memory bandwidth is that of summing an array far larger than the caches; rates are those of square matrix products.
"""

import argparse
import json
import platform
from collections.abc import Callable

import psutil
import torch

from selection.timing import timed

REPEATS = 5
TOO_LONG_S = 600.0
ELEMENTS = {"cpu": 2**27, "cuda": 2**31}  # 512 MiB and 8 GiB of float32
SIDE = {"cpu": 2048, "cuda": 16384}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    print(json.dumps(description(device) | measured(device)))


def description(device: str) -> dict[str, object]:
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else platform.machine(),
        "cores": len(psutil.Process().cpu_affinity()),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def measured(device: str) -> dict[str, float]:
    """GB/s of reading, and GFLOP/s of products in float32 and, where the processor has it, bfloat16."""
    rates = {"read_gb_per_s": read_rate(device), "fp32_gflop_per_s": product_rate(device, torch.float32)}
    if device == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        rates["bf16_gflop_per_s"] = product_rate(device, torch.bfloat16)
    return {name: round(rate, 1) for name, rate in rates.items()}


def read_rate(device: str) -> float:
    values = torch.ones(ELEMENTS[device], device=device)
    return 4 * len(values) / seconds(values.sum) / 1e9


def product_rate(device: str, kind: torch.dtype) -> float:
    side = SIDE[device]
    left, right = torch.rand(2, side, side, device=device).to(kind)
    return 2 * side**3 / seconds(lambda: left @ right) / 1e9


def seconds(call: Callable[[], object]) -> float:
    """The best of several calls: a limit is what the machine does when nobody disturbs it."""
    return min(timed(call, TOO_LONG_S)[0] for _ in range(REPEATS))


if __name__ == "__main__":
    main()
