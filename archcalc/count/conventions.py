"""What other tools print for a network, and why: every tool's convention is a projection of our own counts.

A tool counts what it sees by its own rules, so its number is ours, plus what it adds, minus what it misses. The rules
stand in `tools`, a file for each way of counting. The numbers are those of one forward pass on the CPU in eval mode,
as each tool runs it unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from archcalc.count.report import Report
from archcalc.count.tools.aten import ptflops_aten, torch_registry
from archcalc.count.tools.by_name import calflops, deepspeed
from archcalc.count.tools.fvcore import fvcore
from archcalc.count.tools.ptflops import ptflops
from archcalc.count.tools.tally import Facts, Tally
from archcalc.count.tools.thop import thop
from archcalc.count.tools.torchinfo import torchinfo
from archcalc.count.tools.torchscan import torchscan
from archcalc.trace.values import Trace

SCHEMA = "archcalc.conventions/1"

VERSIONS = (
    "fvcore 0.1.5, torch 2.13, torchinfo 1.8.0, ptflops 0.7.5, thop 0.1.1, calflops 0.3.2, DeepSpeed 0.19.8, "
    "torchscan 0.2.0"
)
"""The releases whose rules these are."""


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a difference, in mult-adds with its sign, and what it is for."""

    macs: int
    reason: str


@dataclass(frozen=True, slots=True)
class Projection:
    """What one tool prints: `macs` in mult-adds, which is our own count plus all `terms`.

    `unit` is what the tool calls it: "MACs", or "FLOPs" at two a mult-add. `unsure` says why the number may be
    another one; it is then "about", never exact.
    """

    tool: str
    unit: str
    macs: int
    terms: tuple[Term, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def printed(self) -> int:
        """The number in the tool's own unit."""
        return self.macs * (2 if self.unit == "FLOPs" else 1)

    @property
    def difference(self) -> int:
        """Mult-adds more than ours."""
        return sum(term.macs for term in self.terms)


@dataclass(frozen=True, slots=True)
class Conventions:
    """What each tool prints for the network of a report.

    `said` is there where the tools were run: by name the number that a tool printed, or why there is none.
    """

    report: Report
    tools: tuple[Projection, ...]
    said: dict[str, int | str] | None = None

    def verdict(self, tool: Projection) -> str | None:
        """Whether a tool that was run prints what is computed here; None where none was run."""
        said = None if self.said is None else self.said.get(tool.tool)
        if not isinstance(said, int):
            return said
        return "equal" if said == tool.printed else f"differs by {said - tool.printed:+,}"

    @property
    def wrong(self) -> tuple[str, ...]:
        """The tools that print another number, though the one here claims to be exact."""
        told = [tool for tool in self.tools if (self.verdict(tool) or "").startswith("differs")]
        return tuple(tool.tool for tool in told if not tool.unsure)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "schema": SCHEMA,
            "network": self.report.subject,
            "macs": self.report.total("macs"),
            "complete": self.report.complete,
            "tools": [
                {
                    **asdict(tool),
                    "printed": tool.printed,
                    "difference": tool.difference,
                    "exact": not tool.unsure,
                    **({} if self.said is None else {"said": self.said.get(tool.tool), "verdict": self.verdict(tool)}),
                }
                for tool in self.tools
            ],
        }


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
