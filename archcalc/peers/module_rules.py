"""Tools that hook modules: each counts the runs of modules of the classes that it knows, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archcalc.peers.calls import ATTENTION, MULTI_HEAD, UNSEEN_ATTENTION
from archcalc.peers.counted_trace import CountedTrace, ModuleRun
from archcalc.peers.tally import Tally
from archcalc.values.trace import Module, Op

Parts = Iterable[tuple[int, str]]
"""Mult-adds and what they are for; PRODUCTS for the ones that we count too."""

Rule = Callable[[ModuleRun], Parts]

PRODUCTS = ""
BIAS = "biases"

_REASONS = {
    "Linear": "linear layers on more than two axes, counted once a sample",
    "ConvTranspose": "transposed convolutions, counted by their outputs",
}
"""Why a tool's rule for products differs from ours, by a word in the name of the module's class."""


def call_in(run: ModuleRun, word: str) -> Op:
    """The last call of a run whose kind has this word in it; raises LookupError if there is none."""
    return [op for op in run.calls if word in op.kind][-1]


def count_modules(
    counted: CountedTrace,
    rule_for: Callable[[Module], Rule | None],
    times: Callable[[int], int] | None = None,
    skip: Callable[[Op], bool] | None = None,
) -> Tally:
    """The tally of a tool: what its rules give for each run, less what we count in modules that it has no rule for.

    `times` says how often a module counts that has so many parents; calls to `skip` are left to the tool.
    """
    tally = Tally()
    ruled = set()
    for path, module in counted.trace.modules.items():
        rule = rule_for(module) if module.runs else None
        if rule is None:
            continue
        ruled.add(path)
        for run in counted.runs(path):
            try:
                parts = list(rule(run))
            except LookupError:  # a shape, a weight or a call that such a module always has
                tally.doubt(f"{path or 'the model'} is a {module.kind}, and does not run as one")
                parts = []
            more = 0 if times is None else times(module.places) - 1
            tally.add(more * sum(macs for macs, _ in parts), "modules with several parents, counted again for each")
            for macs, reason in parts:
                if reason != PRODUCTS:
                    tally.add(macs, reason)
            products = sum(macs for macs, reason in parts if reason == PRODUCTS)
            tally.add(products - run.our_macs, _why_products_differ(module))
    for op, our_macs in counted.calls:
        if op.path not in ruled and not (skip and skip(op)):
            tally.add(-our_macs, _why_unseen(op, counted.trace.modules[op.path]))
    return tally


def _why_products_differ(module: Module) -> str:
    for word, reason in _REASONS.items():
        if word in module.kind:
            return reason
    return f"{module.kind}, counted by a rule of its own"


def _why_unseen(op: Op, module: Module) -> str:
    if op.kind in (MULTI_HEAD, ATTENTION):
        return UNSEEN_ATTENTION
    return f"{op.kind} in {module.kind}, which it does not see"
