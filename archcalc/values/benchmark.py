"""The results of a benchmark. Nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from archcalc.values.bounds import Rate
from archcalc.values.json_types import PlainTree
from archcalc.values.samples import Samples
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored
from archcalc.values.trace import Shape


@dataclass(frozen=True, slots=True)
class Machine:
    """What the benchmark ran on: device, system and versions.

    `load` is the system's load average when it began, None where the system has none.
    `commit` is archcalc's own, "" outside a checkout. `flags` are torch's settings that change a time.
    """

    device: str
    processor: str
    cores: int
    threads: int
    load: float | None
    system: str
    python: str
    torch: str
    archcalc: str
    commit: str
    flags: dict[str, PlainTree]


@dataclass(frozen=True, slots=True)
class Setting:
    """How networks are timed.

    `mode` is "train" or "inference", `device` "cpu", "cuda" or "cuda:1", `dtype` "fp32", "bf16" or "fp16"; `seconds` is
    the time budget of each measurement, `seed` that of weights and inputs.
    """

    mode: str = "train"
    device: str = "cpu"
    dtype: str = "fp32"
    channels_last: bool = False
    compiled: bool = False
    seconds: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Peak:
    """The machine's peak, measured just before: FLOP/s of the fastest work, bytes/s of a copy of `copied_bytes`.

    The copy's rate counts what it reads and what it writes.
    """

    flops_per_second: Rate
    bytes_per_second: Rate
    work: str
    copied_bytes: int


@dataclass(frozen=True, slots=True)
class Bound:
    """The least seconds that the calls take at the machine's peak, and those of the calls that memory bounds."""

    seconds: float
    memory_seconds: float

    @property
    def by(self) -> str:
        """What most of that time goes to: "compute" or "memory"."""
        return "memory" if 2 * self.memory_seconds > self.seconds else "compute"


PHASES = ("inference", "forward", "backward", "step")
"""What of a network a timing is about."""


@dataclass(frozen=True, slots=True)
class Timing(Stored):
    """One network, one batch, one phase: "inference", "forward", "backward" or "step".

    "forward" keeps what the backward pass needs, "inference" does not; "step" is zeroing the gradients, forward,
    backward and the optimiser. `macs` are those of the phase, None where an op could not be counted.
    `memory_bytes` is the device's peak during a run, of this network alone; None on a CPU.
    """

    network: str
    phase: str
    input_shapes: tuple[Shape, ...]
    batch_size: int | None
    samples: Samples
    macs: int | None
    bound: Bound
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise ValueError(f"the phase should be one of {', '.join(PHASES)}")

    @property
    def flops_per_second(self) -> float | None:
        """Two a multiply-add of the phase, at the median; None where unknown."""
        return None if self.macs is None else 2 * self.macs / self.samples.median_seconds

    @property
    def images_per_second(self) -> float | None:
        """Samples of the batch that a second does at the median; None where there is no batch."""
        return None if self.batch_size is None else self.batch_size / self.samples.median_seconds

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        medians = {"median_seconds": self.samples.median_seconds, "iqr_seconds": self.samples.iqr_seconds}
        return {**document, **medians}


@dataclass(frozen=True, slots=True)
class LayerTiming:
    """One row of the network's table, timed within a whole pass; `path`, `module` and `call` are the row's.

    `forward` and `backward` are None where nothing ran that could be told apart from other rows; `note` says why.
    """

    path: str
    kind: str
    module: str
    call: int
    output_shape: Shape | None
    params: int
    macs: int | None
    backward_macs: int | None
    bound: Bound
    forward: Samples | None
    backward: Samples | None
    note: str = ""
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Layers:
    """The rows of one network and batch; `forward` and `backward` are the passes that they were timed in, whole."""

    network: str
    batch_size: int | None
    rows: tuple[LayerTiming, ...]
    forward: Samples
    backward: Samples | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A network and batch that could not be measured, and why."""

    network: str
    batch_size: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class Benchmark(Shown, Stored):
    """All results of one benchmark: each timing with its raw samples, and the machine and setting.

    `networks` tells where each network comes from, such as its paper.
    """

    SCHEMA: ClassVar[str] = "archcalc.bench/1"

    machine: Machine
    setting: Setting
    peak: Peak
    networks: dict[str, str]
    timings: tuple[Timing, ...]
    layers: tuple[Layers, ...] = ()
    failures: tuple[Failure, ...] = ()

    def save(self, path: str | Path) -> None:
        """Write the benchmark as JSON, to be read by `load` and by `archcalc bench --against`."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")


def as_benchmark(benchmark: Benchmark | str | Path | None) -> Benchmark | None:
    """A benchmark that is handed in, itself or as its file; None where there is none. Raises UsageError as `load`."""
    return benchmark if benchmark is None or isinstance(benchmark, Benchmark) else load(benchmark)


def load(path: str | Path) -> Benchmark:
    """The benchmark that a file holds; UsageError where there is none, or one of another schema."""
    return Benchmark.from_file(path, "save a benchmark with --save")
