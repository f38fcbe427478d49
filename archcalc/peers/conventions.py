"""What other tools print for a network, and why: every tool's convention is a projection of our own counts.

A tool counts what it sees by its own rules, so its number is ours, plus what it adds, minus what it misses. The rules
stand in `tools`, a file for each way of counting. The numbers are those of one forward pass on the CPU in eval mode,
as each tool runs it unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from archcalc.peers.dispatched_ops import ptflops_aten, torch_registry
from archcalc.peers.function_rules import calflops, deepspeed
from archcalc.peers.fvcore import fvcore
from archcalc.peers.ptflops import ptflops
from archcalc.peers.tally import Facts, Tally
from archcalc.peers.thop import thop
from archcalc.peers.torchinfo import torchinfo
from archcalc.peers.torchscan import torchscan
from archcalc.values.conventions import Projection, Term
from archcalc.values.trace import Trace

VERSIONS = (
    "fvcore 0.1.5, torch 2.13, torchinfo 1.8.0, ptflops 0.7.5, thop 0.1.1, calflops 0.3.2, DeepSpeed 0.19.8, "
    "torchscan 0.2.0"
)
"""The releases whose rules these are."""


Rules = Callable[[Facts], Tally]

TOOLS: dict[str, tuple[str, Rules]] = {
    "fvcore": ("MACs", fvcore),
    "torch FlopCounterMode": ("FLOPs", torch_registry),
    "torchinfo": ("MACs", torchinfo),
    "ptflops": ("MACs", ptflops),
    "ptflops aten": ("MACs", ptflops_aten),
    "thop": ("MACs", thop),
    "calflops": ("MACs", calflops),
    "DeepSpeed": ("MACs", deepspeed),
    "torchscan": ("MACs", torchscan),
}
"""By name: the unit that a tool prints in, and its rules."""


_WITH_GRADIENTS = frozenset(["fvcore", "torch FlopCounterMode", "ptflops", "ptflops aten", "calflops", "DeepSpeed"])
"""Tools that run the network with gradients enabled, which usually keeps torch from running attention in one piece."""


def projections(trace: Trace) -> tuple[Projection, ...]:
    """What each tool prints for a traced network."""
    facts = Facts(trace)
    found = []
    for name, (unit, rules) in TOOLS.items():
        tally = rules(facts)
        if name in _WITH_GRADIENTS and facts.has_frozen_attention:
            tally.doubt("torch may run attention with frozen weights in one piece, which hides what is inside")
        terms = tuple(Term(macs, reason) for reason, macs in tally.terms.items() if macs)
        macs = facts.macs + sum(term.macs for term in terms)
        found.append(Projection(name, unit, macs, terms, tuple(tally.unsure)))
    return tuple(found)
