"""Runs a benchmark: build the networks, measure them in turns, collect the results."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from archcalc.bench.clock import Clock, clock_of, marks_of
from archcalc.bench.device import device_of, dtype_of, out_of_memory, preserve_torch_state
from archcalc.bench.layer_passes import LayerPasses
from archcalc.bench.machine import machine
from archcalc.bench.measure import Measurement, Timed, interleaved
from archcalc.bench.network import Network, Workload
from archcalc.bench.peak import peak
from archcalc.bench.roofline import bound, macs_of
from archcalc.values.benchmark import Benchmark, Failure, Layers, LayerTiming, Peak, Setting, Timing
from archcalc.values.columns import add
from archcalc.values.errors import ArchcalcError, ModelError, UsageError, error_message, unknown

MODES = ("train", "inference")

Tell = Callable[[str], None]


@dataclass
class _Job:
    """One network with one batch: its measurements and their results."""

    network: Network
    batch_size: int | None
    workload: Workload | None = None
    timed: dict[str, Timed] = field(default_factory=dict)
    memory: dict[str, int | None] = field(default_factory=dict)
    passes: LayerPasses | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.subject.name

    def measurements(self) -> list[Measurement]:
        """Everything to measure."""
        return [*self.timed.values(), *([self.passes] if self.passes else [])]


def benchmark(
    models: Sequence[str | nn.Module],
    inputs: Any,
    how: Setting,
    *,
    batch_sizes: Sequence[int | None] = (None,),
    threads: int | None = None,
    layers: bool = False,
    settings: dict[str, Any] | None = None,
    tell: Tell = lambda message: None,
) -> Benchmark:
    """See `archcalc.benchmark`; `tell` is called with what is being done."""
    _check(models, how, threads, layers)
    device, dtype = device_of(how.device), dtype_of(how.dtype)
    with preserve_torch_state(device, threads, how.seed):
        clock = clock_of(device)
        machine_info = machine(device)
        tell("the machine's peak")
        machine_peak = peak(device, dtype, clock, how.seconds)
        _release(device)
        networks: list[Network] = []
        failures: list[Failure] = []
        for model in models:
            tell(f"building {model if isinstance(model, str) else type(model).__name__}")
            try:
                networks.append(
                    Network(
                        model,
                        settings or {},
                        device=device,
                        dtype=dtype,
                        training=how.mode == "train",
                        channels_last=how.channels_last,
                        compiled=how.compiled,
                    )
                )
            except UsageError:
                raise
            except Exception as error:
                name = model if isinstance(model, str) else type(model).__name__
                failures.append(Failure(name, None, _problem(error, None)))
        jobs: list[_Job] = []
        for batch_size in batch_sizes:
            batch_jobs = [_Job(network, batch_size) for network in networks]
            for job in batch_jobs:
                tell(f"warming up {job.name}")
                _prepare(job, inputs, clock, layers)
            ready = [job for job in batch_jobs if not job.problem]
            failed = interleaved([taken for job in ready for taken in job.measurements()], how.seconds, clock, tell)
            for job in ready:
                if id(job) in failed:
                    job.problem = _problem(failed[id(job)], job.batch_size)
            jobs += batch_jobs
            _release(device)
    jobs.sort(key=lambda job: networks.index(job.network))
    done = [job for job in jobs if not job.problem]
    failures += [Failure(job.name, job.batch_size, job.problem) for job in jobs if job.problem]
    result = Benchmark(
        machine=machine_info,
        setting=replace(how, device=str(device)),
        peak=machine_peak,
        networks={network.subject.name: network.subject.source for network in networks},
        timings=tuple(_timing(job, phase, machine_peak) for job in done for phase in job.timed),
        layers=tuple(_layers(job, job.passes, machine_peak) for job in done if job.passes),
        failures=tuple(failures),
    )
    if not result.timings:
        raise ModelError("; ".join(f"{failure.network}: {failure.problem}" for failure in failures))
    return result


def _check(models: Sequence[str | nn.Module], how: Setting, threads: int | None, layers: bool) -> None:
    if not models:
        raise UsageError("name at least one network to time")
    if how.mode not in MODES:
        raise unknown("mode", how.mode, MODES)
    if threads is not None and threads < 1:
        raise UsageError(f"at least one thread is needed, not {threads}")
    if not 0 < how.seconds < float("inf"):
        raise UsageError(f"a measurement takes more than no time and less than forever, not {how.seconds} seconds")
    if layers and how.compiled:
        raise UsageError("a compiled network has no layers left to time: leave out --layers or --compile")


def _prepare(job: _Job, inputs: Any, clock: Clock, layers: bool) -> None:
    """Set up the measurements and run each once; an error becomes the job's `problem`."""
    threads = torch.get_num_threads()
    try:
        workload = job.workload = Workload(job.network, inputs, job.batch_size)
        for phase, (run, watch) in workload.phases(clock).items():
            job.memory[phase] = workload.warm(run)
            job.timed[phase] = Timed(id(job), f"{job.name} {phase}", run, watch, threads)
        if layers:
            job.passes = LayerPasses(id(job), f"{job.name} layers", workload, marks_of(job.network.device))
    except UsageError:
        raise
    except Exception as error:
        job.problem = _problem(error, job.batch_size)
    if job.problem:
        job.workload = job.passes = None
        job.timed.clear()
        job.network.clear()
        _release(job.network.device)


def _problem(error: BaseException, batch_size: int | None) -> str:
    """What went wrong in one line."""
    message = error_message(error) or type(error).__name__
    if out_of_memory(error):
        batch = "the batch of its input" if batch_size is None else f"a batch of {batch_size}"
        wanted = re.search(r"tried to allocate ([\d.]+ \w+)", message, flags=re.IGNORECASE)
        return f"out of memory at {batch}" + (f": {wanted[1]} more were wanted" if wanted else "")
    return message if isinstance(error, ArchcalcError) else f"{type(error).__name__}: {message}"


def _release(device: torch.device) -> None:
    """Free cached memory, so that the next batch starts on an empty device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _timing(job: _Job, phase: str, machine_peak: Peak) -> Timing:
    assert job.workload is not None
    report = job.workload.report
    return Timing(
        network=job.name,
        phase=phase,
        input_shapes=report.input_shapes,
        batch_size=report.batch_size,
        samples=job.timed[phase].samples,
        macs=macs_of(report, phase),
        bound=bound(report.rows, phase, machine_peak),
        memory_bytes=job.memory[phase],
    )


def _layers(job: _Job, passes: LayerPasses, machine_peak: Peak) -> Layers:
    assert job.workload is not None
    report = job.workload.report
    rows = []
    for index, group in enumerate(passes.groups):
        first, last = group.rows[0], group.rows[-1]
        forward, backward = passes.samples_of(index)
        rows.append(
            LayerTiming(
                path=first.path,
                kind=first.kind,
                module=first.module,
                call=first.call,
                output_shape=last.output_shape,
                params=sum(row.params for row in group.rows),
                macs=add(row.macs for row in group.rows),
                backward_macs=add(row.backward_macs for row in group.rows),
                bound=bound(group.rows, "forward", machine_peak),
                forward=forward,
                backward=backward,
                note=group.note,
                calls=len(group.rows),
            )
        )
    return Layers(job.name, report.batch_size, tuple(rows), *passes.wholes)
