"""How long networks take: what `archcalc.benchmark` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.bench import run
from archcalc.values.benchmark import Setting

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.benchmark import Benchmark


def benchmark(
    *models: str | nn.Module,
    inputs: Any = None,
    batch_size: int | Sequence[int] | None = None,
    device: str = "cpu",
    dtype: str = "fp32",
    mode: str = "train",
    channels_last: bool = False,
    compiled: bool = False,
    threads: int | None = None,
    seconds: float = 1.0,
    layers: bool = False,
    seed: int = 0,
    **settings: Any,
) -> Benchmark:
    """How long networks take on this machine: forward, backward and a step of training, or inference alone.

    `models` and `inputs` are as for `analyze`; a module that is handed in is copied. Several networks are measured in
    turns, so that the ratio of their times holds on a machine that does other things as well. `batch_size` may be a
    list; `device` is "cpu", "cuda" or "cuda:1"; `dtype` is "fp32", "bf16" or "fp16"; `mode` is "train" or "inference";
    `seconds` is the time budget of each measurement, in seconds; `layers` times every row of the table as well.

    Raises UsageError if the request is wrong or there is no such device, and ModelError if none of the networks can
    be run; those that fail beside others are the result's `failures`.
    """
    sizes = batch_size if isinstance(batch_size, Sequence) else (batch_size,)
    how = Setting(mode, device, dtype, channels_last, compiled, seconds, seed)
    return run.benchmark(
        models, inputs, how, batch_sizes=tuple(sizes), threads=threads, layers=layers, settings=settings
    )
