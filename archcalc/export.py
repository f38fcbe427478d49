"""The CSV reports: every figure of the zoo and of the claims as files that can be committed and checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archcalc.analysis import analyze
from archcalc.claims.check import check
from archcalc.claims.claim import documented
from archcalc.count.compare import compare
from archcalc.count.report import CONVENTION, Report
from archcalc.render import Listing, catalogue, comparison, layers, render, verification
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


def reports() -> Iterator[tuple[str, str]]:
    """Every report, one after the other: its path below the folder, and its text."""
    entries = registry.catalogue()
    found: dict[str, Report] = {}
    for name in entries:
        found[name] = analyze(name)
        yield f"tables/{name}.csv", render(layers(found[name]), "csv")
    yield "zoo.csv", render(catalogue([Listing(entries[name], report) for name, report in found.items()]), "csv")
    for one, other in PAIRS:
        yield f"compare/{one}-{other}.csv", render(comparison(compare(found[one], found[other])), "csv")
    verdicts = list(check(documented()))
    yield "claims.csv", render(verification(verdicts), "csv")
    yield "README.md", _index(found, len(verdicts))


def stale(folder: Path, made: dict[str, str]) -> list[str]:
    """The reports in a folder that are missing, differ from what is made now, or should not be there."""
    different = []
    for name, text in made.items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            different.append(name)
    ours = [folder / "tables", folder / "compare"]
    there = {file.relative_to(folder).as_posix() for sub in ours if sub.is_dir() for file in sub.iterdir()}
    return different + sorted(there - made.keys())


def _index(found: dict[str, Report], claims: int) -> str:
    lines = [
        "# Reports",
        "",
        "Written by `archcalc export reports/`, checked by `archcalc export --check reports/`. Raw integers; shapes",
        f"are C×H×W without the batch. {CONVENTION}.",
        "",
        f"- [zoo.csv](zoo.csv): {len(found)} networks with input, source, published errors, depth, params, mult-adds",
        f"- [claims.csv](claims.csv): {claims} documented numbers, each with the computed one and the verdict",
        "- `compare/`: the comparisons that lectures and papers make",
        *(f"  - [{one} and {other}](compare/{one}-{other}.csv)" for one, other in PAIRS),
        "- `tables/`: one row a layer",
        *(f"  - [{name}](tables/{name}.csv)" for name in found),
    ]
    return "\n".join(lines) + "\n"
