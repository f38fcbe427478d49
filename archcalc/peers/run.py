"""What other tools say of a network: computed, and if wanted by running the tools themselves on the real model.

Each is imported only when it runs, on a copy of the model that nobody else sees, since some leave hooks, buffers or
replaced functions of torch behind. What they print on the way goes to stderr.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archcalc.analysis import Analysis
from archcalc.peers.conventions import projections
from archcalc.trace.inputs import with_values
from archcalc.values.conventions import Conventions

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


def conventions(analysis: Analysis, *, run: bool = False, only: Collection[str] = ()) -> Conventions:
    """What each tool prints for a network; with `run` also what those print that are installed, or `only` some.

    `analysis` must have recorded every op.
    """
    said: dict[str, int | str] = {}
    wanted = [name for name in TOOLS if run and name in (only or TOOLS)]
    module = analysis.subject.with_weights() if wanted else analysis.subject.module
    for tool in wanted:
        try:
            said[tool] = prints(tool, module, with_values(analysis.args), with_values(analysis.kwargs))
        except PeerError as error:
            said[tool] = str(error)
    return Conventions(analysis.report, projections(analysis.trace), said if run else None)


class PeerError(Exception):
    """A tool is not installed, cannot take such inputs, or failed; the message says which."""


def prints(tool: str, module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    """The number that a tool prints for one forward pass in eval mode, in its own unit.

    Raises PeerError with the reason where there is none.
    """
    _, run = TOOLS[tool]
    if not is_installed(tool):
        raise PeerError("not installed")
    with _unchanged(), _quiet():
        try:
            return int(run(deepcopy(module).eval(), args, kwargs))
        except PeerError:
            raise
        except Exception as error:  # whatever a tool raises on a model is what it has to say
            reason = " ".join(str(error).split())
            raise PeerError(f"it fails: {type(error).__name__}: {reason}"[:200]) from error


def is_installed(tool: str) -> bool:
    """Whether there is the package of a tool, and what it imports without saying so."""
    return all(find_spec(name) is not None for name in (TOOLS[tool][0], *_UNSAID.get(tool, ())))


_UNSAID = {"calflops": ("transformers",)}


def _fvcore(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from fvcore.nn import FlopCountAnalysis

    if kwargs:
        raise PeerError("it takes no inputs by name")
    return int(FlopCountAnalysis(module, args).total())


def _torch(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    with FlopCounterMode(display=False) as counter:
        module(*args, **kwargs)
    return int(counter.get_total_flops())


def _torchinfo(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from torchinfo import summary

    given = dict(kwargs) if kwargs and not args else list(args)
    return int(summary(module, input_data=given, verbose=0, cache_forward_pass=False).total_mult_adds)


def _ptflops(backend: str) -> Callable[[nn.Module, Args, Kwargs], int]:
    def run(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
        from ptflops import get_model_complexity_info

        if kwargs or len(args) != 1 or not isinstance(args[0], Tensor):
            raise PeerError("it takes one tensor")
        macs, _ = get_model_complexity_info(
            module,
            tuple(args[0].shape[1:]) or (1,),
            print_per_layer_stat=False,
            as_strings=False,
            input_constructor=lambda _: args[0],
            backend=backend,
        )
        if macs is None:
            raise PeerError("it fails, see what it says above")
        return int(macs)

    return run


def _thop(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from thop import profile

    if kwargs:
        raise PeerError("it takes no inputs by name")
    return int(profile(module, args, verbose=False)[0])


def _calflops(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from calflops import calculate_flops

    found = calculate_flops(module, args=list(args), kwargs=kwargs, print_results=False, output_as_string=False)
    return int(found[1])


def _deepspeed(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from deepspeed.profiling.flops_profiler import get_model_profile

    found = get_model_profile(module, args=list(args), kwargs=kwargs, print_profile=False, as_string=False)
    return int(found[1])


def _torchscan(module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    from torchscan import crawl_module

    macs = crawl_module(module, args=args, kwargs=kwargs)["totals"]["macs"]["known_value"]
    if macs is None:
        raise PeerError("it calls the number unavailable")
    return int(macs)


TOOLS: dict[str, tuple[str, Callable[[nn.Module, Args, Kwargs], int]]] = {
    "fvcore": ("fvcore", _fvcore),
    "torch FlopCounterMode": ("torch", _torch),
    "torchinfo": ("torchinfo", _torchinfo),
    "ptflops": ("ptflops", _ptflops("pytorch")),
    "ptflops aten": ("ptflops", _ptflops("aten")),
    "thop": ("thop", _thop),
    "calflops": ("calflops", _calflops),
    "DeepSpeed": ("deepspeed", _deepspeed),
    "torchscan": ("torchscan", _torchscan),
}
"""By the name of its row: the package that a tool comes in, and how it is run."""


@contextmanager
def _unchanged() -> Iterator[None]:
    """Within it torch's functions may be replaced; after it they are as before, and so is the random state."""
    held = (torch, nn.functional, torch.Tensor)
    before = [dict(vars(place)) for place in held]
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)
        for place, names in zip(held, before, strict=True):
            for name, value in names.items():
                if vars(place).get(name) is not value:
                    setattr(place, name, value)
            for name in set(vars(place)) - set(names):
                if place is torch.Tensor:  # a method of a base class that was replaced
                    delattr(place, name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within it stdout is stderr, and neither warnings nor logs of tools are shown."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
