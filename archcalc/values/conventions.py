"""What other tools print for a network, and what the difference is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.values.report import Report
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a difference, in mult-adds with its sign, and what it is for; a single FLOP is half a mult-add."""

    macs: float
    reason: str


@dataclass(frozen=True, slots=True)
class Projection:
    """What one tool prints: `macs` in mult-adds, which is our own count plus all `terms`.

    `unit` is what the tool calls it: "MACs", or "FLOPs" at two a mult-add. `unsure` says why the number may be
    another one; it is then "about", never exact.
    """

    tool: str
    unit: str
    macs: float
    terms: tuple[Term, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def printed(self) -> int:
        """The number in the tool's own unit."""
        return int(self.macs * (2 if self.unit == "FLOPs" else 1))

    @property
    def difference(self) -> float:
        """Mult-adds more than ours."""
        difference = sum(term.macs for term in self.terms)
        return int(difference) if difference == int(difference) else difference


@dataclass(frozen=True, slots=True)
class Conventions(Shown, Stored):
    """What each tool prints for the network of a report.

    `said` is there where the tools were run: by name the number that a tool printed, or why there is none.
    """

    SCHEMA: ClassVar[str] = "archcalc.conventions/1"

    report: Report
    tools: tuple[Projection, ...]
    said: dict[str, int | str] | None = None

    def verdict(self, tool: Projection) -> str | None:
        """Whether a tool that was run prints what is computed here; None where none was run."""
        printed = None if self.said is None else self.said.get(tool.tool)
        if not isinstance(printed, int):
            return printed
        return "equal" if printed == tool.printed else f"differs by {printed - tool.printed:+,}"

    @property
    def wrong(self) -> tuple[str, ...]:
        """The tools that print another number, though the one here claims to be exact."""
        wrong = [tool for tool in self.tools if (self.verdict(tool) or "").startswith("differs")]
        return tuple(tool.tool for tool in wrong if not tool.unsure)

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {
            "network": self.report.subject,
            "macs": self.report.total("macs"),
            "complete": self.report.complete,
            "tools": [
                {
                    **fields,
                    "printed": tool.printed,
                    "difference": tool.difference,
                    "exact": not tool.unsure,
                    **({} if self.said is None else {"said": self.said.get(tool.tool), "verdict": self.verdict(tool)}),
                }
                for tool, fields in zip(self.tools, document["tools"], strict=True)
            ],
            "said": document["said"],
            "report": document["report"],
        }
