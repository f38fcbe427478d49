"""The CSV reports: every figure of the zoo and of the claims as files that can be committed and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from archcalc.analysis import analysis_of
from archcalc.claims.check import by_subject, check, default_report, in_order
from archcalc.claims.read import documented
from archcalc.count.compare import compare
from archcalc.formats import render
from archcalc.render.compare import comparison
from archcalc.render.list import catalogue
from archcalc.render.table import layers
from archcalc.render.verify import verification
from archcalc.values.claim import Claim, Verdict
from archcalc.values.errors import ArchcalcError
from archcalc.values.listing import Architecture, Listing, Totals
from archcalc.values.report import COUNTING_CONVENTION, Report
from archcalc.zoo import registry

PAIRS = (
    ("alexnet", "lenet5"),
    ("conv3x3", "conv1x3-3x1"),
    ("conv5x5", "conv3x3-twice"),
    ("conv7x7", "conv1x7-7x1"),
    ("conv7x7", "conv3x3-thrice"),
    ("head-fc", "head-gap"),
    ("inception-4a-5x5-naive", "inception-4a-5x5-bottleneck"),
    ("inception-module-naive", "inception-module"),
    ("inception-naive", "inception-bottleneck"),
    ("plain-block", "residual-block"),
    ("plain34", "resnet34"),
    ("resnet50", "resnet50-v1.5"),
    ("residual-block", "residual-bottleneck"),
    ("vgg16", "googlenet"),
    ("vgg19", "resnet34"),
)
"""The comparisons that the lectures and papers make."""

CLAIMS = "claims.csv"


@dataclass(frozen=True, slots=True)
class Part:
    """What one task makes: files (path below the folder -> text), and errors (path -> why it cannot be made).

    A task about a network also has its line of the zoo, and the verdicts on the claims about it.
    """

    texts: dict[str, str]
    failed: dict[str, str]
    listing: Listing | None = None
    verdicts: tuple[Verdict, ...] = ()


Task = Callable[[], Part]


def tasks() -> dict[str, Task]:
    """The tasks by name: one a network and one a comparison, independent of each other."""
    entries, claims = registry.catalogue(), by_subject(documented())
    networks = {name: partial(_network, entry, claims.get(name, [])) for name, entry in entries.items()}
    return {**networks, **{f"{one}-{other}": partial(_pair, one, other) for one, other in PAIRS}}


def do(task: Task) -> Part:
    """Run one task; a function of the module, so that another process can be asked for it."""
    return task()


def assembled(parts: Sequence[Part]) -> Part:
    """All files, from the parts of all tasks in the order of `tasks()`."""
    texts = {name: text for part in parts for name, text in part.texts.items()}
    failed = {name: why for part in parts for name, why in part.failed.items()}
    listings = [part.listing for part in parts if part.listing is not None]
    texts["zoo.csv"] = render(catalogue(listings), "csv")
    claims = documented()
    if CLAIMS not in failed:
        verdicts = in_order(claims, [part.verdicts for part in parts])
        texts[CLAIMS] = render(verification(verdicts), "csv")
    texts["README.md"] = _index([listing.architecture.name for listing in listings], len(claims))
    return Part(texts, failed)


def stale(folder: Path, made: Part) -> list[str]:
    """The reports in a folder that are missing, differ from what is made now, or should not be there."""
    different = []
    for name, text in made.texts.items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            different.append(name)
    ours = [folder / "tables", folder / "compare"]
    there = {file.relative_to(folder).as_posix() for sub in ours if sub.is_dir() for file in sub.iterdir()}
    return different + sorted(there - made.texts.keys() - made.failed.keys())


def _network(entry: Architecture, claims: list[Claim]) -> Part:
    analyzed: dict[Any, Report] = {}  # the table and the claims are about the same report
    table = f"tables/{entry.name}.csv"
    try:
        report = default_report(entry.name, analyzed)
    except ArchcalcError as error:
        failed = {table: str(error)} | ({CLAIMS: str(error)} if claims else {})
        return Part({}, failed, Listing(entry, error=str(error)))
    texts = {table: render(layers(report), "csv")}
    listing = Listing(entry, Totals.of(report))
    try:
        return Part(texts, {}, listing, tuple(check(claims, analyzed)))
    except ArchcalcError as error:
        return Part(texts, {CLAIMS: str(error)}, listing)


def _pair(one: str, other: str) -> Part:
    file = f"compare/{one}-{other}.csv"
    try:
        reports = [analysis_of(name).report for name in (one, other)]
        return Part({file: render(comparison(compare(*reports)), "csv")}, {})
    except ArchcalcError as error:
        return Part({}, {file: str(error)})


def _index(names: list[str], claims: int) -> str:
    lines = [
        "# Reports",
        "",
        "Written by `archcalc export reports/`, checked by `archcalc export --check reports/`. Raw integers; shapes",
        f"are C×H×W without the batch. {COUNTING_CONVENTION}.",
        "",
        f"- [zoo.csv](zoo.csv): {len(names)} networks with input, source, published errors, depth, params, mult-adds",
        f"- [claims.csv](claims.csv): {claims} documented numbers, each with the computed one and the verdict",
        "- `compare/`: the comparisons that lectures and papers make",
        *(f"  - [{one} and {other}](compare/{one}-{other}.csv)" for one, other in PAIRS),
        "- `tables/`: one row a layer",
        *(f"  - [{name}](tables/{name}.csv)" for name in names),
    ]
    return "\n".join(lines) + "\n"
