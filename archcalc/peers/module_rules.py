"""Tools that watch modules: each of them counts the runs of modules of the classes that it knows, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archcalc.peers.calls import ATTENTION, MULTI_HEAD
from archcalc.peers.tally import Facts, Run, Tally
from archcalc.values.trace import Module, Op

Parts = Iterable[tuple[int, str]]
"""Mult-adds and what they are for; "" for the products that we count too."""

Rule = Callable[[Run], Parts]


def call_in(run: Run, word: str) -> Op:
    """The call of a run whose kind has this word in it; raises LookupError if it has none."""
    return [op for op in run.calls if word in op.kind][-1]


PRODUCTS = ""
BIAS = "biases"
ITS_OWN = {
    "Linear": "linear layers on more than two axes, counted once a sample",
    "ConvTranspose": "transposed convolutions, counted by their outputs",
}


def watched(
    facts: Facts,
    rule_for: Callable[[Module], Rule | None],
    times: Callable[[int], int] | None = None,
    skip: Callable[[Op], bool] | None = None,
) -> Tally:
    """The tally of a tool: what its rules give for each run, less what we count in modules that it has no rule for.

    `times` says how often a module counts that has so many parents; calls to `skip` are left to the tool.
    """
    tally = Tally()
    seen = set()
    for path, module in facts.trace.modules.items():
        rule = rule_for(module) if module.runs else None
        if rule is None:
            continue
        seen.add(path)
        for run in facts.runs(path, tally):
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
            tally.add(sum(macs for macs, reason in parts if reason == PRODUCTS) - run.macs, _own_rule(module))
    for op, own in facts.calls:
        if op.path not in seen and not (skip and skip(op)):
            tally.add(-own, _unseen(op, facts.trace.modules[op.path]))
    return tally


def _own_rule(module: Module) -> str:
    for word, reason in ITS_OWN.items():
        if word in module.kind:
            return reason
    return f"{module.kind}, counted by a rule of its own"


def _unseen(op: Op, module: Module) -> str:
    if op.kind in (MULTI_HEAD, ATTENTION):
        return "attention, which it does not see"
    return f"{op.kind} in {module.kind}, which it does not see"
