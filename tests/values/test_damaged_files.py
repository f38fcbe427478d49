"""Damaged files of every format: each is refused with a clear error, or can be shown in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import pytest
from torch import nn

import archcalc
from archcalc.analysis import analysis_of
from archcalc.bench.against import changes, differences
from archcalc.claims.read import parse
from archcalc.formats import FORMATS, render
from archcalc.render.bench import timings
from archcalc.render.bench_layers import layer_timings
from archcalc.render.compare import comparison
from archcalc.render.conventions import conventions
from archcalc.render.memory import memory
from archcalc.render.table import layers
from archcalc.render.top_k import top_k_errors
from archcalc.render.training import training
from archcalc.render.verify import verification
from archcalc.values.benchmark import Benchmark
from archcalc.values.budget import Budget
from archcalc.values.claim import Claim, Verdict
from archcalc.values.comparison import Comparison
from archcalc.values.conventions import Conventions
from archcalc.values.document import Document
from archcalc.values.errors import ArchcalcError, UsageError
from archcalc.values.report import Report
from archcalc.values.stored import Stored
from archcalc.values.top_k import TopKErrors
from archcalc.values.trace import Trace
from archcalc.values.training import Training
from tests.support.bench_literals import LAYERED, SMALL
from tests.support.mutations import altered, as_text, damaged
from tests.support.training_literals import DEGRADED

FILES = pytest.mark.parametrize("files", [150, pytest.param(1000, marks=pytest.mark.oracle)])
"""How many files of a format; `make oracle` reads them all."""


def show_benchmark(benchmark: Benchmark) -> list[Document]:
    """Alone, with layers, and as what another one is held against."""
    documents = [timings(benchmark), layer_timings(benchmark, benchmark.layers)]
    since = changes(benchmark, SMALL), differences(benchmark, SMALL)
    since_it = changes(SMALL, benchmark), differences(SMALL, benchmark)
    return [*documents, timings(benchmark, *since), timings(SMALL, *since_it)]


SHOW: dict[type[Stored], Callable[[Any], list[Document]]] = {
    Report: lambda report: [layers(report), comparison(archcalc.compare(report, report))],
    Trace: lambda trace: [],
    Benchmark: show_benchmark,
    Comparison: lambda value: [comparison(value), comparison(value, with_layers=True)],
    Budget: lambda budget: [memory(budget)],
    Conventions: lambda value: [conventions(value)],
    TopKErrors: lambda value: [top_k_errors(value)],
    Training: lambda value: [training(value)],
    Verdict: lambda verdict: [verification([verdict]), verification([verdict], reasons=True)],
}


@cache
def originals() -> dict[type[Stored], Stored]:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 5))
    analysis = analysis_of(net, (1, 3, 8, 8), training=True, backward=True)
    claim = Claim("lenet5", "params", "conv", "60k", "rounds", source="paper", digits=2, settings={"act": ["relu", 1]})
    values: list[Stored] = [
        analysis.report,
        analysis.trace,
        LAYERED,
        archcalc.compare(analysis.report, analysis.report),
        archcalc.memory(net, (1, 3, 8, 8)),
        archcalc.conventions(net, (1, 3, 8, 8)),
        archcalc.top_k_error([[1, 1, 0]], [0], (1, 3)),
        DEGRADED,
        Verdict(claim, "61706", "differs", "it is not exact"),
    ]
    return {type(value): value for value in values}


def outcome(kind: type[Stored], content: bytes | str) -> str:
    """What becomes of a file: "refused" in few words, or "shown" in every format."""
    try:
        value = kind.from_json(content, origin="it")
    except UsageError as error:
        return "refused" if len(str(error)) < 400 else "refused at length"
    try:
        documents = SHOW[kind](value)
    except ArchcalcError:  # such as two benchmarks that have nothing in common
        return "refused"
    for document in documents:
        for form in FORMATS:
            assert render(document, form, width=60)
    return "shown"


@pytest.mark.sweep
@FILES
@pytest.mark.parametrize("kind", SHOW, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_refused_or_can_be_shown(
    kind: type[Stored], files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archcalc.values.samples.RESAMPLES", 10)  # no figure is looked at
    random = Random(f"damaged {kind.__name__}")
    document = originals()[kind].to_dict()
    content = json.dumps(document).encode()
    assert outcome(kind, content) == "shown"
    outcomes = [outcome(kind, damaged(content, random)) for _ in range(files // 2)]
    outcomes += [outcome(kind, as_text(altered(document, random))) for _ in range(files // 2)]
    assert {"refused", "shown"} == set(outcomes)


CLAIMS = b"""\
source = "a paper"
subject = "lenet5"
batch = 2
[[claim]]
metric = "params"
printed = "61.7k"
expect = "rounds"
settings = { num_classes = 10, act = ["relu", 1.5] }
[[claim]]
place = "C1"
metric = "macs"
max = 117600
min = "1e3"
training = true
digits = 3
"""


@pytest.mark.sweep
@FILES
def test_a_damaged_file_of_claims_is_refused_or_can_be_shown(files: int) -> None:
    random = Random("damaged claims")
    accepted = longest = 0
    for _ in range(files):
        content = damaged(CLAIMS, random)
        try:
            claims = parse(content.decode("utf-8", "surrogateescape"), "claims.toml")
        except UsageError as error:
            longest = max(longest, len(str(error)))
            continue
        accepted += 1
        verdicts = [Verdict(claim, "5", "exact") for claim in claims]
        for form in FORMATS:
            assert render(verification(verdicts, reasons=True), form, width=60)
    assert files // 20 < accepted < files
    assert longest < 3000
