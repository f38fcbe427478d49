"""The machine's peak: the fastest of large matrix products and a convolution, and a copy larger than any cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
import torch.nn.functional as F
from torch.utils.benchmark import Timer

from archcalc.bench.clock import Clock
from archcalc.values.benchmark import Peak

SIDES = {"cpu": (512, 1024, 2048, 4096), "cuda": (2048, 4096, 8192, 16384)}
"""Sides of the square matrices, smallest first; a side counts if one product fits the time budget."""

IMAGES = {"cpu": (8, 256, 28, 28), "cuda": (256, 256, 28, 28)}
"""Input of a 3x3 convolution to as many channels. Torch's convolutions and matrix products come from different
libraries, and either may be twice as fast as the other."""

COPIED = {"cpu": 1 << 27, "cuda": 1 << 30}
"""Bytes of the tensor that is copied, well beyond the largest cache."""


def peak(device: torch.device, dtype: torch.dtype, clock: Clock, seconds: float) -> Peak:
    """FLOP/s of the quickest work and bytes/s of a copy, the best of the runs that `seconds` allow each."""
    with torch.no_grad(), _tf32_as_in_convolutions() if device.type == "cuda" else nullcontext():
        results = []
        for n in SIDES[device.type]:
            a, b, out = (torch.ones(n, n, dtype=dtype, device=device) for _ in range(3))
            took = _quickest(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), clock, seconds / 4)  # type: ignore[misc]
            results.append((2 * n**3 / took, f"{n}x{n} matrix product"))
            if 8 * took > seconds / 4:  # the next side takes eight times as long
                break
        results.append(_convolution(device, dtype, clock, seconds / 4))
        elements = COPIED[device.type] // dtype.itemsize
        source, target = (torch.ones(elements, dtype=dtype, device=device) for _ in range(2))
        copied = _quickest(lambda: target.copy_(source), clock, seconds / 4)
    flops_per_second, work = max(results)
    return Peak(flops_per_second, 2 * COPIED[device.type] / copied, work, COPIED[device.type])


def _convolution(device: torch.device, dtype: torch.dtype, clock: Clock, seconds: float) -> tuple[float, str]:
    batch, channels, height, width = shape = IMAGES[device.type]
    images, weight = (
        torch.ones(size, dtype=dtype, device=device).contiguous(memory_format=torch.channels_last)
        for size in (shape, (channels, channels, 3, 3))
    )
    took = _quickest(lambda: F.conv2d(images, weight, padding=1), clock, seconds)
    flops = 2 * batch * 9 * channels**2 * height * width
    return flops / took, f"3x3 convolution of {batch}x{channels}x{height}x{width}"


def _quickest(run: Callable[[], object], clock: Clock, seconds: float) -> float:
    timer = Timer("run()", timer=clock, globals={"run": run}, num_threads=torch.get_num_threads())
    return min(timer.blocked_autorange(min_run_time=seconds).times)


@contextmanager
def _tf32_as_in_convolutions() -> Iterator[None]:
    """Allows TF32 in matrix products where convolutions use it, since it belongs to the peak."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = before or torch.backends.cudnn.allow_tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
