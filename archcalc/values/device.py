"""A device as its data sheet describes it, for one dtype."""

from __future__ import annotations

from dataclasses import dataclass

ELEMENT_BYTES = {"fp64": 8, "fp32": 4, "tf32": 4, "fp16": 2, "bf16": 2, "fp8": 1}
"""Bytes of a floating-point number in memory; tf32 is how float32 is multiplied, not how it is kept."""


@dataclass(frozen=True, slots=True)
class Device:
    """The peaks of a device: floating-point operations a second in one dtype, and bytes a second from its memory.

    `dtype` is a key of ELEMENT_BYTES: a network on the device keeps its floating-point tensors in it. None leaves them
    as they are. `memory` is in bytes, None where it is not stated; `source` is the document that the figures stand in.
    """

    name: str
    flops_per_second: float
    bytes_per_second: float
    dtype: str | None = None
    memory: float | None = None
    title: str = ""
    source: str = ""

    @property
    def element_bytes(self) -> int | None:
        """Bytes of a floating-point number, None where the dtype is left as it is."""
        return None if self.dtype is None else ELEMENT_BYTES[self.dtype]

    @property
    def ridge(self) -> float:
        """FLOPs a byte from which on arithmetic is what bounds."""
        return self.flops_per_second / self.bytes_per_second
