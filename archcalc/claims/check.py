"""The check: each claim against what is computed now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from archcalc.claims.metrics import metric_names, metric_of
from archcalc.claims.printed_number import Value, budget, judge, text
from archcalc.claims.read import documented, located
from archcalc.count.places import row_at
from archcalc.sources.named import named
from archcalc.values.claim import Claim, Verdict
from archcalc.values.columns import BACKWARD
from archcalc.values.errors import ArchcalcError, ModelError, UsageError, unknown
from archcalc.values.explanation import Explanation
from archcalc.values.report import Report


def check(
    claims: Iterable[Claim], reports: dict[Any, Report] | None = None, *, trust: bool = False
) -> Iterator[Verdict]:
    """The verdicts, one after the other; a network is analyzed once, however many claims are about it.

    `reports` is where the analyzed networks are kept, for callers that check claims in several goes. Without `trust`
    claims may only name networks of the zoo and what `sources.trust` lets pass.

    Raises UsageError naming file and entry for a network, metric, place or print that makes no sense, and ModelError
    where the network cannot be run.
    """
    reports = {} if reports is None else reports
    vetted: set[tuple[str, str]] = set()
    for claim in claims:
        try:
            if not trust:
                _vet(claim, vetted)
            yield _verdict(claim, reports)
        except ModelError as error:
            raise ModelError(f"{claim.entry}: {error}", error.report) from error
        except ArchcalcError as error:
            raise located(claim, error) from error


def by_subject(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """The claims about each network, which can be checked apart."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.subject, []).append(claim)
    return groups


def verdicts(claims: Iterable[Claim], *, trust: bool = False) -> list[Verdict]:
    """What `check` finds, as a list."""
    return list(check(claims, trust=trust))


def _vet(claim: Claim, vetted: set[tuple[str, str]]) -> None:
    """Raise UsageError or ModelError where a claim names code that a file of claims may not run.

    `vetted` are the targets of a file that passed before, with their settings, since vetting runs their code.
    """
    for target, settings in ((claim.subject, claim.settings), (claim.against or "", claim.against_settings)):
        key = (claim.file, f"{target} {sorted(settings.items())!r}")
        if target and named(target).kind != "zoo" and key not in vetted:
            from archcalc.sources.trust import vet

            vet(target, settings, [Path(claim.file).parent, Path()])
            vetted.add(key)


def in_order(claims: Iterable[Claim], groups: Iterable[Sequence[Verdict]]) -> list[Verdict]:
    """The verdicts on `by_subject(claims)` in the order of the claims themselves."""
    left = {group[0].claim.subject: iter(group) for group in groups if group}
    return [next(left[claim.subject]) for claim in claims]


def default_report(subject: str, reports: dict[Any, Report]) -> Report:
    """The report of a network run by its defaults, taken from `reports` or put there, as `check` does."""
    return _report(Claim(subject, "params"), subject, reports)


def with_claims(explanation: Explanation) -> Explanation:
    """The explanation with the verdicts on the documented claims about its place."""
    about = (explanation.report.subject, explanation.place or "")
    claims = [claim for claim in documented() if (claim.subject, claim.place) == about]
    return replace(explanation, verdicts=tuple(check(claims)))


def _verdict(claim: Claim, reports: dict[Any, Report]) -> Verdict:
    value = _value(claim, claim.subject, reports)
    if claim.against is not None:
        value = _related(value, _value(claim, claim.against, reports), claim.form)
    if claim.printed is None:
        verdict = budget(value, claim.min, claim.max)
        bounds = " and ".join(f"{word} {b}" for word, b in (("at least", claim.min), ("at most", claim.max)) if b)
        expected = claim.expect or "within"
        return Verdict(claim, text(value), verdict, "" if verdict == expected else f"it must be {bounds}")
    verdict = judge(claim.printed, value, claim.digits)
    return Verdict(claim, text(value), verdict, _problem(claim, value, verdict))


def _problem(claim: Claim, value: Value, verdict: str) -> str:
    """What is not as it should be; an erratum's right value must be right."""
    if claim.expect is None:
        return "" if verdict != "differs" else "the print and the computed value differ"
    if verdict != claim.expect:
        return f"{claim.expect} was expected"
    if claim.right is not None and judge(claim.right, value) == "differs":
        return f"the right value is said to be {claim.right}"
    return ""


def _value(claim: Claim, subject: str, reports: dict[Any, Report]) -> Value:
    if claim.metric == "property":
        from archcalc.claims.properties import run

        return run(claim.of, subject, claim.place)
    metric = metric_of(claim.metric)
    if metric is None and claim.metric != "exists":
        raise unknown("metric", claim.metric, [*metric_names(), "exists", "property"])
    report = _report(claim, subject, reports)
    # where two networks are compared, a place is one of the first
    place = claim.place if subject == claim.subject else ""
    if metric is None:
        return _exists(report, place)
    return metric(report, row_at(report, place), claim.of)


def _exists(report: Report, place: str) -> bool:
    """Whether a call or a module of that path ran; the one metric whose place may be missing."""
    try:
        return bool(row_at(report, place).calls)
    except UsageError:
        return False


def _report(claim: Claim, subject: str, reports: dict[Any, Report]) -> Report:
    from archcalc.analysis import analysis_of
    from archcalc.values.input_size import parse_input, with_batch

    settings, size = claim.settings, claim.input
    if subject != claim.subject:  # the reference network runs with its own defaults
        settings, size = claim.against_settings, size if named(subject).kind != "zoo" else None
    backward = claim.metric in BACKWARD
    key = (subject, size, claim.batch, claim.training, backward, repr(sorted(settings.items())))
    if key not in reports:
        inputs = None if size is None else with_batch(parse_input(size), claim.batch)
        batch_size = claim.batch if inputs is None else None
        reports[key] = analysis_of(
            subject, inputs, batch_size, settings=settings, training=claim.training, backward=backward
        ).report
    return reports[key]


_RELATIONS: dict[str, Callable[[Fraction], Fraction]] = {
    "ratio": lambda ratio: ratio,
    "saving": lambda ratio: 1 - ratio,
    "more": lambda ratio: ratio - 1,
}


def _related(one: Value, other: Value, form: str) -> Value:
    if one is None or other is None:
        return None
    numbers = [value for value in (one, other) if isinstance(value, (int, Fraction)) and not isinstance(value, bool)]
    if len(numbers) < 2 or not numbers[1]:
        raise UsageError("a ratio needs a metric that is a number, and not 0 for the second network")
    return _RELATIONS[form](Fraction(numbers[0]) / Fraction(numbers[1]))
