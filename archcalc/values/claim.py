"""A documented number, and what a computation says of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from archcalc.values.shown import Shown

VERDICTS = ("exact", "rounds", "truncates", "differs", "within", "over", "under")
"""How a print relates to the computed value; the last three are for budgets."""

FORMS = ("ratio", "saving", "more")
"""Of a measure against another network's: a/b, 1 - a/b, a/b - 1."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One documented number.

    `metric` of `subject` at `place`, a layer's path, "" for the whole network, is `printed` so in `source`, at `where`.
    `expect` is the verdict that an honest computation gives; for "differs", `right` is the right value and `because`
    the reason. `against` is a second network, `form` what is made of the two measures. `of` says more about a metric
    that needs it. `digits` are the significant digits of a print such as 650,000, whose zeros do not tell. `max` and
    `min` are budgets in the place of a print. `input`, `batch`, `training` and `settings` say how the network is run;
    the second one is run as it is by default, with `against_settings`.
    """

    subject: str
    metric: str
    place: str = ""
    printed: str | None = None
    expect: str | None = None
    right: str | None = None
    because: str | None = None
    source: str = ""
    where: str = ""
    against: str | None = None
    form: str = "ratio"
    of: str = ""
    digits: int | None = None
    max: str | None = None
    min: str | None = None
    input: str | None = None
    batch: int | None = None
    training: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    against_settings: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    number: int = 0

    @property
    def entry(self) -> str:
        """Where a person finds it: the file and the number of the claim in it."""
        return f"{self.file}, claim {self.number}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values, only those that are set."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "", {}, False)}


@dataclass(frozen=True, slots=True)
class Verdict(Shown):
    """A claim, the value computed for it, how the print relates to it, and whether that was expected.

    `value` is the computed value in raw text; `problem` says in words what is not as expected.
    """

    claim: Claim
    value: str
    verdict: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the verdict is the expected one."""
        return not self.problem

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values: the claim's own, and what came of it."""
        return {**self.claim.to_dict(), "computed": self.value, "verdict": self.verdict, "ok": self.ok} | (
            {"problem": self.problem} if self.problem else {}
        )


class Verdicts(Shown, list[Verdict]):
    """The verdicts on several claims, in their order."""
