"""What is wrong with a document is said in one line, with its place; whatever it holds, nothing else is raised."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

import pytest

import archcalc
from archcalc.analysis import analysis_of
from archcalc.values.benchmark import Benchmark
from archcalc.values.claim import Claim, Verdict
from archcalc.values.errors import UsageError
from archcalc.values.report import Report, Row
from archcalc.values.stored import Stored
from archcalc.values.trace import Trace
from tests.support.bench_literals import FAILED, LAYERED, SMALL

ROW = Row("conv", "conv2d", jump=(2, Fraction(3, 2)), receptive_field=(3, 3), macs=None)
REPORT = Report("net", (ROW, ROW), ((1, 3, 8, 8),), uncalled={"head": 5})


def altered(document: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    """A document with another value at that place, which shares the rest; `...` takes the key away."""
    key, *rest = path
    copy = document.copy()
    if rest:
        copy[key] = altered(copy[key], rest, value)
    elif value is ...:
        del copy[key]
    else:
        copy[key] = value
    return copy


WRONG: list[tuple[list[Any], Any, str]] = [
    (["rows", 1, "macs"], "many", "rows.1.macs: should be a valid integer, not 'many'"),
    (["rows", 1, "macs"], True, "rows.1.macs: should be a valid integer, not True"),
    (["rows", 1, "macs"], 1.0, "rows.1.macs: should be a valid integer, not 1.0"),
    (["rows", 1, "macs"], float("nan"), "rows.1.macs: should be a valid integer, not nan"),
    (["rows", 1, "least_seconds"], float("inf"), "rows.1.least_seconds: should be a finite number, not inf"),
    (["rows", 1, "macs"], ..., "rows.1.macs: is missing"),
    (["rows", 1, "jump", 0], "1/0", "rows.1.jump.0: should be a valid integer or should be a fraction such as '3/2'"),
    (["rows", 1, "jump", 0], "1e999999999", "rows.1.jump.0: should be a valid integer or should be a fraction"),
    (["rows", 1, "receptive_field"], 5, "rows.1.receptive_field: should be a valid array or should be a valid string"),
    (["rows", 1, "window"], "x" * 10_000, "rows.1.window: should be an object, not 'xxx"),
    (["rows", 1], None, "rows.1: should be an object, not None"),
    (["rows"], {"0": 1}, "rows: should be a valid array, not {'0': 1}"),
    (["uncalled", "head"], None, "uncalled.head: should be a valid integer, not None"),
    (["batch_size"], 10**5000, "Exceeds the limit (4300 digits)"),
    (["subject"], b"net", "Object of type bytes is not JSON serializable"),
    (["subject"], "\ud800", "it holds text that is not valid Unicode"),
    (["schema"], ..., "the document holds no report: there is no schema archcalc.report/1 in it"),
    (["schema"], "archcalc.bench/1", "the document holds archcalc.bench/1, not archcalc.report/1"),
    (["schema"], "archcalc.report/2", "holds archcalc.report/2, not archcalc.report/1; it was written by a newer arch"),
    (["schema"], "archcalc.report/" + "9" * 5000, "9..., not archcalc.report/1"),
    (["schema"], "archcalc.report/x", "holds archcalc.report/x, not archcalc.report/1"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[message[:40] for _, _, message in WRONG])
def test_what_is_wrong_is_said_with_its_place(path: list[Any], value: Any, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Report.from_dict(altered(REPORT.to_dict(), path, value))
    assert message in str(error.value)
    assert len(str(error.value)) < 250


def nested(depth: int) -> list[Any]:
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text is not JSON: Expecting value"),
        (b"\xff\xfe\x00", "the text is not JSON: "),
        (None, "the text is not JSON: "),
        ("[" * 100_000, "the text is not JSON: nested too deeply"),
        ("9" * 5000, "the text is not JSON: Exceeds the limit (4300 digits)"),
        ("[]", "the text holds no report"),
        ("NaN", "the text holds no report"),
        ('{"schema": "archcalc.report/1"}', "the text is not whole: subject: is missing"),
        (
            json.dumps(altered(REPORT.to_dict(), ["rows"], nested(500))),
            "the text is not whole: it is nested too deeply",
        ),
    ],
)
def test_a_text_that_is_no_report_is_said_to_be_none(text: Any, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Report.from_json(text)
    assert message in str(error.value)


def test_what_is_derived_is_not_read() -> None:
    document = altered(REPORT.to_dict(), ["totals"], "nonsense")
    del document["complete"], document["rows"][0]["flops"]
    assert Report.from_dict(document) == REPORT


def test_a_selection_of_columns_is_not_taken_for_the_whole_report() -> None:
    document = altered(REPORT.to_dict(), ["rows"], [{"path": "conv", "kind": "conv2d", "params": 5}])
    with pytest.raises(UsageError, match=r"rows\.0\.\w+: is missing"):  # or its macs would be 0
        Report.from_dict(document)


def test_what_has_no_form_in_json_is_not_written() -> None:
    with pytest.raises(UsageError, match=r"this Claim cannot be written as JSON: .* an object of type object"):
        Claim("net", "macs", settings={"act": object()}).to_dict()
    with pytest.raises(UsageError, match="this Row cannot be written as JSON"):
        Row("conv", "conv2d", least_seconds=float("nan")).to_json()


# ---- the other values


@pytest.mark.parametrize("benchmark", [SMALL, LAYERED, FAILED], ids=["small", "layered", "failed"])
def test_a_benchmark_is_read_back_equal(benchmark: Benchmark) -> None:
    assert Benchmark.from_json(benchmark.to_json()) == benchmark
    record = benchmark.to_dict()["timings"][0]
    assert record["median_seconds"] == benchmark.timings[0].samples.median_seconds
    assert record["iqr_seconds"] == benchmark.timings[0].samples.iqr_seconds


def test_a_timing_needs_samples() -> None:
    document = altered(SMALL.to_dict(), ["timings", 0, "samples", "rounds"], [[], []])
    with pytest.raises(UsageError, match=r"timings\.0\.samples: there has to be at least one sample"):
        Benchmark.from_dict(document)


CLAIMS = [
    Claim("vgg16", "macs", printed="15.5G", expect="rounds", source="a paper", digits=3, file="a.toml", number=4),
    Claim("net", "params", max="1k", training=True, settings={"width": 2, "act": ["relu", 1.0, True, None]}, batch=0),
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_claims_and_verdicts_are_read_back_equal(claim: Claim) -> None:
    assert Claim.from_json(claim.to_json()) == claim
    for verdict in (Verdict(claim, "5", "exact"), Verdict(claim, "6", "differs", "it is not exact")):
        document = verdict.to_dict()
        assert (document["computed"], document["ok"]) == (verdict.value, verdict.ok)
        assert Verdict.from_dict(document) == verdict


def test_a_claim_writes_only_what_is_set() -> None:
    document = Claim("net", "macs", printed="5").to_dict()
    assert document == {
        "schema": "archcalc.claim/1",
        "subject": "net",
        "metric": "macs",
        "printed": "5",
        "form": "ratio",
    }


def test_a_dict_is_not_compared() -> None:
    with pytest.raises(UsageError, match=r"Report\.from_dict makes a report") as error:
        archcalc.compare(REPORT, REPORT.to_dict())  # type: ignore[arg-type]
    assert len(str(error.value)) < 200
    with pytest.raises(UsageError, match="names, torch modules and reports, not a list") as error:
        archcalc.compare(REPORT, [REPORT.to_json()] * 1000)  # type: ignore[arg-type]
    assert len(str(error.value)) < 200


# ---- whatever a file holds


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a document."""
    if isinstance(document, dict):
        return [path, *(place for key, item in document.items() for place in places(item, (*path, key)))]
    if isinstance(document, list):
        return [path, *(place for at, item in enumerate(document) for place in places(item, (*path, at)))]
    return [path]


NONSENSE: list[Any] = [
    *(None, True, 0, -1, 10**30, 0.5, float("nan"), float("-inf"), "", "nan", "1/0", "\udcff", "x" * 1000),
    *([], {}, [[]], [None], {"": None}, {"$tuple": 1}, {"$tuple": []}, {"$dict": [[[], 1]]}, {"$complex": "i"}),
    *({"$float": 1}, {"$TensorSpec": {"shape": [-1]}}, {"$": {}}, nested(150), nested(500)),
]


def mutated(document: dict[str, Any], paths: list[tuple[Any, ...]], random: Random) -> dict[str, Any]:
    """The document with nonsense in one of these places, or without it, or with another of its own values there."""
    path = random.choice(paths)
    how = random.random()
    if how < 0.2:
        return altered(document, list(path), ...)
    if how < 0.7:
        return altered(document, list(path), random.choice(NONSENSE))
    value: Any = document
    for key in random.choice(paths):
        value = value[key]
    return altered(document, list(path), value)


def trace_and_report() -> list[Stored]:
    analysis = analysis_of("lenet5", training=True, backward=True)
    return [analysis.trace, analysis.report]


@pytest.mark.sweep
@pytest.mark.parametrize("kind", [Report, Trace, Benchmark])
def test_a_mutated_document_gives_a_value_or_a_usage_error(kind: type[Stored]) -> None:
    value = next(value for value in [*trace_and_report(), LAYERED] if isinstance(value, kind))
    document = value.to_dict()
    paths = places(document)[1:]
    random = Random(0)
    refused = 0
    for _ in range(300):
        mutant = mutated(document, paths, random)
        text = json.dumps(mutant)
        refused += is_refused(kind.from_dict, mutant) + is_refused(kind.from_json, text)
    assert refused > 300
    assert document == value.to_dict()  # what was read, and shares its parts with the mutants, is as it was


def is_refused(read: Callable[[Any], Stored], document: Any) -> bool:
    """Whether it raises a UsageError, and in a few words."""
    try:
        read(document)
    except UsageError as error:
        return len(str(error)) < 400
    return False


# ---- imports


def test_pydantic_is_imported_to_read_and_write_only() -> None:
    script = """
import sys
import archcalc
from archcalc.values.report import Report, Row
from archcalc.values import benchmark, budget, claim, comparison, conventions, trace
archcalc.names()
report = Report("net", (Row("conv", "conv2d"),), ((1, 3, 8, 8),))
print("pydantic" in sys.modules)
str(report)
print("pydantic" in sys.modules)
report.to_json()
print("pydantic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False", "True"]
