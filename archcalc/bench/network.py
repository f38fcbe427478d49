"""A real network on a device, and what is timed: inference, forward, backward, a training step."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from archcalc.analysis import analysis, inputs_of
from archcalc.bench.clock import Clock, Stopwatch
from archcalc.bench.device import bytes_of
from archcalc.sources.load import subject_of
from archcalc.trace.tensors import tensors_in
from archcalc.values.errors import ModelError, UsageError
from archcalc.values.report import Report

MOMENTUM = 0.9

Run = Callable[[], object]


class Network:
    """A network with real weights on its device, built once and shared by all batch sizes."""

    def __init__(
        self,
        model: str | nn.Module,
        settings: dict[str, Any],
        *,
        device: torch.device,
        dtype: torch.dtype,
        training: bool,
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        subject = subject_of(model, settings, real=True)
        if not subject.in_zoo:  # the caller may go on using it
            copy = deepcopy(subject.module)
            subject = replace(subject, module=copy, with_weights=lambda: copy)
        if any(parameter.is_meta for parameter in subject.module.parameters()):
            raise UsageError(f"{subject.name} has weights without data: there is nothing to time")
        self.subject = subject
        self.training = training
        self.device, self.dtype = device, dtype
        self.layout = torch.channels_last if channels_last else torch.preserve_format
        module = subject.module.to(device=device, dtype=dtype)
        if channels_last:
            module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module = module.train(training)
        self.runs: Callable[..., Any] = torch.compile(module) if compiled else module
        self.optimiser = None
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        if training and trained:
            # a learning rate of 0 does all the work and keeps the weights as they are
            self.optimiser = torch.optim.SGD(trained, lr=0.0, momentum=MOMENTUM)

    def clear(self) -> None:
        """Forget all gradients."""
        for parameter in self.module.parameters():
            parameter.grad = None

    def tensors(self) -> list[Tensor]:
        """What stays in memory between runs: weights, buffers, gradients, the optimiser's state."""
        tensors: list[Tensor] = [*self.module.parameters(), *self.module.buffers()]
        tensors += [parameter.grad for parameter in self.module.parameters() if parameter.grad is not None]
        return tensors + tensors_in([*self.optimiser.state.values()] if self.optimiser else [])


class Workload:
    """One network with one batch.

    The backward pass starts from random gradients of the outputs, so that no loss is timed. Raises
    ModelError where the network fails on the batch's shape.
    """

    def __init__(self, network: Network, inputs: Any, batch_size: int | None) -> None:
        subject = network.subject
        args, kwargs = inputs_of(subject, inputs, batch_size)
        self.network = network
        self._args = tuple(self._real(value) for value in args)
        self._kwargs = {name: self._real(value) for name, value in kwargs.items()}
        modes = {"training": network.training, "backward": network.training}
        try:
            self.report: Report = analysis(subject, self._args, self._kwargs, **modes).report
        except ModelError as error:  # the caller adds the network's name
            raise ModelError(str(error).removeprefix(f"{subject.name} "), error.report) from error
        self._seeds: list[Tensor] | None = None

    def phases(self, clock: Clock) -> dict[str, tuple[Run, Clock]]:
        """What to time by the name of its phase, and the clock to time it by."""
        if not self.network.training:
            return {"inference": (self.inference, clock)}
        watch = Stopwatch(clock)

        def backward() -> None:
            self.network.clear()
            outputs = self.outputs()
            with watch:
                self.differentiate(outputs)

        return {"forward": (self.forward, clock), "backward": (backward, watch.read), "step": (self.step, clock)}

    def inference(self) -> None:
        """A forward pass without gradients."""
        with torch.inference_mode():
            self.network.runs(*self._args, **self._kwargs)

    def forward(self) -> None:
        """A forward pass that saves tensors for the backward pass."""
        self.outputs()

    def step(self) -> None:
        """A whole training step: clear gradients, forward, backward, optimiser."""
        self.network.clear()
        self.differentiate(self.outputs())
        if self.network.optimiser:
            self.network.optimiser.step()

    def outputs(self) -> list[Tensor]:
        """The outputs of a forward pass that require gradients."""
        result = self.network.runs(*self._args, **self._kwargs)
        return [tensor for tensor in tensors_in(result) if tensor.requires_grad]

    def differentiate(self, outputs: list[Tensor]) -> None:
        """The backward pass from these outputs."""
        if self._seeds is None:
            self._seeds = [torch.randn_like(output) for output in outputs]
        if not outputs:
            raise ModelError("nothing in it can be trained: --mode inference times it")
        torch.autograd.backward(outputs, self._seeds)

    def warm(self, run: Run) -> int | None:
        """Run once to warm up; on a GPU once more for the peak memory of this network alone, in bytes."""
        run()
        device = self.network.device
        if device.type == "cpu":
            return None
        torch.cuda.synchronize(device)
        own = [*self.network.tensors(), *tensors_in([self._args, self._kwargs, self._seeds])]
        others = torch.cuda.memory_allocated(device) - bytes_of(own)
        torch.cuda.reset_peak_memory_stats(device)
        run()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - others

    def _real(self, value: Any) -> Any:
        """A value with its tensors on the device; a meta tensor becomes random normal numbers, or zeros if integer."""
        if isinstance(value, (tuple, list)):
            return type(value)(self._real(item) for item in value)
        if isinstance(value, dict):
            return {name: self._real(item) for name, item in value.items()}
        if not isinstance(value, Tensor):
            return value
        device, dtype = self.network.device, self.network.dtype
        floats = value.is_floating_point()
        if value.is_meta:
            make = torch.randn if floats else torch.zeros
            value = make(tuple(value.shape), dtype=dtype if floats else value.dtype, device=device)
        else:
            value = value.detach().to(device=device, dtype=dtype if floats else value.dtype)
        images = value.ndim == 4 and self.network.layout is torch.channels_last
        return value.contiguous(memory_format=torch.channels_last) if images else value
