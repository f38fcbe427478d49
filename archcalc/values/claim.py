"""A documented number, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from archcalc.values.json_types import PlainTree
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored

VERDICTS = ("exact", "rounds", "truncates", "differs", "within", "over", "under")
"""How a print relates to the computed value; the last three are for budgets."""

FORMS = ("ratio", "saving", "more")
"""How value a of the subject is compared with value b of the reference network: a/b, 1 - a/b, a/b - 1."""


@dataclass(frozen=True, slots=True)
class Claim(Stored):
    """One documented number.

    `metric` of `subject` at `place`, a layer's path, "" for the whole network, is `printed` so in `source`, at `where`.
    `expect` is the verdict that an honest computation gives; for "differs", `right` is the right value and `because`
    the reason. `against` is a second network, `form` what is made of the two measures. `of` says more about a metric
    that needs it. `digits` are the significant digits of a print such as 650,000, whose zeros do not tell. `max` and
    `min` are budgets in the place of a print. `input`, `batch`, `training` and `settings` say how the network is run;
    the second one is run as it is by default, with `against_settings`.
    """

    SCHEMA: ClassVar[str] = "archcalc.claim/1"
    SPARSE: ClassVar[bool] = True

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
    settings: dict[str, PlainTree] = field(default_factory=dict)
    against_settings: dict[str, PlainTree] = field(default_factory=dict)
    file: str = ""
    number: int = 0

    @property
    def entry(self) -> str:
        """Where a person finds it: the file and the number of the claim in it."""
        return f"{self.file}, claim {self.number}"


@dataclass(frozen=True, slots=True)
class Verdict(Shown, Stored):
    """A claim, the value computed for it, how the print relates to it, and whether that was expected.

    `value` is the computed value in raw text; `problem` says in words what is not as expected.
    """

    SCHEMA: ClassVar[str] = "archcalc.verdict/1"
    SPARSE: ClassVar[bool] = True

    claim: Claim
    value: str
    verdict: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the verdict is the expected one."""
        return not self.problem

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        claim = document.pop("claim")
        del claim["schema"]
        return {**claim, "computed": document.pop("value"), **document, "ok": self.ok}

    @classmethod
    def _read(cls, document: dict[str, Any]) -> dict[str, Any]:
        own = {name: document[key] for key, name in _OF_A_VERDICT.items() if key in document}
        return {"claim": document, **own}


_OF_A_VERDICT = {"computed": "value", "verdict": "verdict", "problem": "problem"}
"""The keys beside the claim's own, and the fields that they hold."""


class Verdicts(Shown, list[Verdict]):
    """The verdicts on several claims, in their order."""
