"""What a tool counts more and less than we do, collected by reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Tally:
    """The difference between a tool's number and ours, while it is being collected.

    `terms` are mult-adds by reason; `doubts` are the reasons why the tool may print another number than is computed.
    """

    terms: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    doubts: dict[str, None] = field(default_factory=dict)

    def add(self, macs: int, reason: str) -> None:
        """Take note of mult-adds that the tool counts and we do not; negative for those that only we count."""
        self.terms[reason] += macs

    def doubt(self, reason: str) -> None:
        """Take note of why the tool may print something else."""
        self.doubts[reason] = None
