"""verify: one row a claim, and a summary by source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from archcalc.formats.units import plural
from archcalc.values.document import Document, Heading, Remark, Table

if TYPE_CHECKING:
    from archcalc.values.claim import Verdict

SCHEMA = "archcalc.claims/1"

Value = Callable[["Verdict"], Any]


def _about(verdict: Verdict) -> str:
    """What is measured: the metric, of what, and against which network."""
    claim = verdict.claim
    about = claim.of if claim.metric == "property" else f"{claim.metric} {claim.of}".strip()
    return about if claim.against is None else f"{about}, {claim.form} to {claim.against}"


def _printed(verdict: Verdict) -> str:
    """The print, or the budget."""
    claim = verdict.claim
    bounds = [f"{sign} {bound}" for sign, bound in ((">=", claim.min), ("<=", claim.max)) if bound is not None]
    return claim.printed if claim.printed is not None else " and ".join(bounds)


COLUMNS: tuple[tuple[Heading, Value], ...] = (
    (Heading("source", "source", "text", rank=5), lambda verdict: verdict.claim.source),
    (Heading("where", "where", "text", rank=7), lambda verdict: verdict.claim.where),
    (Heading("subject", "network", "text"), lambda verdict: verdict.claim.subject),
    (Heading("place", "place", "text", rank=1), lambda verdict: verdict.claim.place),
    (Heading("metric", "metric", "text", rank=2), _about),
    (Heading("printed", "printed", "text"), _printed),
    (Heading("computed", "computed", "text"), lambda verdict: verdict.value),
    (Heading("verdict", "verdict", "text"), lambda verdict: verdict.verdict),
    (Heading("problem", "problem", "text"), lambda verdict: verdict.problem),
    (Heading("right", "right", "text", rank=8), lambda verdict: verdict.claim.right),
    (Heading("because", "because", "prose", rank=9), lambda verdict: verdict.claim.because),
)


FOR_PEOPLE: tuple[tuple[Heading, Value], ...] = (
    (Heading("source", "source", "text", rank=5), lambda verdict: verdict.claim.source),
    (
        Heading("subject", "network, place, metric", "text"),
        lambda verdict: f"{_place(verdict)} {_about(verdict)}".strip(),
    ),
    (Heading("printed", "printed", "text"), _printed),
    (Heading("computed", "computed", "text"), lambda verdict: verdict.value),
    (Heading("verdict", "verdict", "text"), lambda verdict: verdict.verdict if verdict.ok else f"{verdict.verdict} !"),
    (Heading("where", "where", "text", rank=7), lambda verdict: verdict.claim.where),
)


def verification(verdicts: Sequence[Verdict], *, reasons: bool = False) -> Document:
    """One row a verdict; with `reasons` it is said below the table why a print differs."""
    headings, rows = _tabulated(COLUMNS, verdicts)
    for_people, lines = _tabulated(FOR_PEOPLE, verdicts)
    remarks: list[Remark] = []
    if reasons:
        remarks += [Remark("differs", sentence(verdict)) for verdict in verdicts if verdict.verdict == "differs"]
    remarks += [Remark("summary", line) for line in _summary(verdicts)]
    remarks += [
        Remark("NOT AS EXPECTED", f"{_name(verdict)}: {verdict.problem}", "failure")
        for verdict in verdicts
        if not verdict.ok
    ]
    table = Table(plural(len(verdicts), "claim"), for_people, lines, remarks=tuple(remarks))
    return Document(SCHEMA, headings, rows, (table,), lambda: content(verdicts))


def verification_of_one(verdict: Verdict) -> Document:
    """The same for a single verdict."""
    return verification([verdict])


def _tabulated(
    columns: Sequence[tuple[Heading, Value]], verdicts: Sequence[Verdict]
) -> tuple[tuple[Heading, ...], tuple[tuple[Any, ...], ...]]:
    headings = tuple(heading for heading, _ in columns)
    return headings, tuple(tuple(value(verdict) for _, value in columns) for verdict in verdicts)


def content(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """JSON-ready values of verdicts."""
    return {
        "schema": SCHEMA,
        "ok": all(verdict.ok for verdict in verdicts),
        "claims": [verdict.to_dict() for verdict in verdicts],
    }


def sentence(verdict: Verdict, within: tuple[str, ...] = ()) -> str:
    """A verdict in one line: who says what of which place, what is computed, and why they differ if they do.

    `within` is what the reader knows of the place: the network, or the network and the layer.
    """
    claim = verdict.claim
    source = " ".join(filter(None, (claim.source, claim.where and f"({claim.where})")))
    line = f"{source}: " if source else ""
    line += f"{_about(verdict)} {_printed(verdict)}; computed {verdict.value}: {verdict.verdict}"
    if claim.because:
        line += (
            f", because {claim.because[:1].lower() + claim.because[1:]}"
            if claim.because[1:2].islower()
            else (f"; {claim.because}")
        )
    known = claim.subject, claim.place
    place = " ".join(part for part, own in zip_longest(known, within) if part and part != own)
    return f"{place}: {line}" if place else line


def _place(verdict: Verdict) -> str:
    return " ".join(filter(None, (verdict.claim.subject, verdict.claim.place)))


def _name(verdict: Verdict) -> str:
    return f"{verdict.claim.entry}: {_place(verdict)} {_about(verdict)} {_printed(verdict)}, computed {verdict.value}"


def _summary(verdicts: Sequence[Verdict]) -> list[str]:
    """For each source how many of its claims got which verdict."""
    sources: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        sources.setdefault(verdict.claim.source or verdict.claim.file, Counter())[verdict.verdict] += 1
    lines = []
    for source, counted in sources.items():
        counts = ", ".join(f"{number} {verdict}" for verdict, number in counted.most_common())
        lines.append(f"{source}: {counts}")
    return lines
