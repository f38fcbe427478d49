"""Devices and dtypes by name, torch's state kept as it was, and memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from archcalc.trace.preserve import preserve_random_states
from archcalc.values.errors import UsageError, unknown

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def device_of(name: str) -> torch.device:
    """The device called "cpu", "cuda" or "cuda:1"; UsageError, naming the devices there are, if it is missing."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise UsageError(f"unknown device '{name}': there are cpu, cuda and cuda:1, cuda:2, ...")
    if name == "cpu":
        return torch.device("cpu")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(name.partition(":")[2] or 0)
    if index < gpus:
        return torch.device("cuda", index)
    if gpus:
        devices = ", ".join(f"cuda:{gpu} {torch.cuda.get_device_name(gpu)}" for gpu in range(gpus))
        raise UsageError(f"there is no device {name}; found {devices}")
    built = f"is built for CUDA {torch.version.cuda}" if torch.version.cuda else "is built without CUDA"
    raise UsageError(f"there is no device {name}; found the CPU alone, and torch {torch.__version__} {built}")


def dtype_of(name: str) -> torch.dtype:
    """The dtype of that short name; UsageError for any other."""
    if name not in DTYPES:
        raise unknown("dtype", name, DTYPES)
    return DTYPES[name]


@contextmanager
def preserve_torch_state(device: torch.device, threads: int | None, seed: int) -> Iterator[None]:
    """Within it torch has that device, number of threads and seed; afterwards they are as before."""
    before = torch.get_num_threads()
    on_gpu = device.type == "cuda"
    # manual_seed seeds every GPU, so every GPU's random state is saved
    initialised = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    seeded = range(torch.cuda.device_count()) if on_gpu or initialised else ()
    current = torch.cuda.device(device) if on_gpu else nullcontext()
    with preserve_random_states(), torch.random.fork_rng(devices=seeded), torch.enable_grad(), current:
        torch.manual_seed(seed)
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was no memory left, on a GPU or on the host."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Bytes that the tensors take together."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
