"""Which modules run, what they take and give, and where an error comes from, by torch's forward hooks."""

from __future__ import annotations

import sys
from threading import enumerate as threads
from threading import get_ident
from typing import Any, NamedTuple

from torch import nn

from archcalc.trace.modules import Modules, ModuleStack, Runs
from archcalc.trace.tensor_table import TensorTable
from archcalc.values.errors import ModelError


class Failure(NamedTuple):
    """The error that ended a run, the path of the module it came from, and the call if it was one."""

    error: BaseException
    path: str
    kind: str = ""
    shapes: tuple[tuple[int, ...], ...] = ()


class ModuleRuns:
    """Follows the modules of one forward pass.

    `runs` are the shapes that each module took and gave, run by run. `failure` is the last error that came out of a
    module. `escaped_module`: a submodule ran on another thread, so the trace is incomplete. `originals` are the twins
    of the modules that were handed in, by the id() of these: a function that a model holds may call them still.
    """

    def __init__(self, modules: Modules, tensors: TensorTable) -> None:
        self.runs: Runs = {}
        self.failure: Failure | None = None
        self.escaped_module: str | None = None
        self.originals: dict[int, nn.Module] = {}
        self._tensors = tensors
        self._paths = {id(module): path for path, module in modules}
        self._stack = ModuleStack(self._paths)
        self._thread = get_ident()
        self._other_threads = {thread.ident for thread in threads()}  # what they run is not of this forward pass
        self._outer_error = sys.exc_info()[1]

    @property
    def running(self) -> tuple[tuple[str, int], ...]:
        """The modules that are running, outermost first, each with the number of its run."""
        return self._stack.running

    def enter(self, module: nn.Module, args: Any) -> None:
        """Forward pre-hook: from here on calls belong to this module."""
        if get_ident() == self._thread:
            twin = self.originals.get(id(module))
            if twin is not None and twin.training is not module.training:
                mode = "train()" if twin.training else "eval()"
                raise ModelError(f"its forward reaches the module itself through a closure: call {mode} on it first")
            self._stack.enter(module if twin is None else twin, args)  # an empty container is falsy
        elif get_ident() not in self._other_threads and id(module) in self._paths:
            self.escaped_module = self._paths[id(module)]

    def leave(self, module: nn.Module, args: Any, result: Any) -> None:
        """Forward hook, called after an error too: the module is done."""
        if get_ident() != self._thread:
            return
        path = self.running[-1][0]
        self._stack.leave(module, args, result)
        error = sys.exc_info()[1]
        if error is not None and error is not self._outer_error:
            self.fail(Failure(error, path))
        elif id(module) in self._paths or id(module) in self.originals:
            self.runs.setdefault(path, []).append((self._tensors.shapes(args), self._tensors.shapes(result)))

    def fail(self, failure: Failure) -> None:
        """Keep an error with where it came from: it passes every module on its way out, and the first one is that."""
        if self.failure is None or self.failure.error is not failure.error:
            self.failure = failure
