"""The script behind `make peers`: what it makes of measurements, and one real measurement."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "reports"))
import peers

MEASURES = ("first_ms", "again_ms", "process_ms", "peak_bytes")


def record(network: str, tool: str, *figures: float) -> dict[str, Any]:
    return {"network": network, "tool": tool} | dict(zip(MEASURES, figures, strict=False))


def figures() -> peers.Figures:
    found = []
    for network, factor in zip(peers.NETWORKS, (1, 4, 1, 4, 1, 4, 1, 4), strict=True):
        found.append(record(network, peers.ARCHCALC, 10, 5, 1000, 100))
        found.append(record(network, peers.FORWARD, 10 * factor, 10, 2000, 200))
        found.append({"network": network, "tool": peers.NOTHING, "process_ms": 800, "peak_bytes": 80})
        found.append({"network": network, "tool": peers.TABLE, "process_ms": 880, "peak_bytes": 88})
    found.append(record("alexnet", "thop", 500, 50, 3000, 300))
    found.append({"network": "vgg16", "tool": "thop", "failure": "TypeError"})
    found += [record(peers.DEEPEST, peers.ARCHCALC, 1), record(peers.DEEPEST, peers.FORWARD, 8)]
    return peers.Figures(found)


def test_the_table_is_of_ratios_to_archcalc() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in figures().table().splitlines()[2:]]
    assert rows == [
        ["archcalc", "1.0", "1.0", "1.0", "1.0", "8 of 8"],
        ["thop", "50", "10", "3.0", "3.0", "1 of 8"],
        ["bare meta forward", "2.0", "2.0", "2.0", "2.0", "8 of 8"],  # geometric mean of 1 and 4
        ["import torch", "", "", "0.80", "0.80", "8 of 8"],
    ]


def test_the_goals_are_held_against_the_bare_forward_and_the_import() -> None:
    said = figures().goals()
    assert "first analysis / bare meta forward: 0.50" in said  # 1 and 1/4
    assert "resnet1202: 0.125" in said
    assert "archcalc table / import torch: 1.100 in time, 1.100 in memory" in said


def test_the_median_of_the_rounds_counts_and_one_failure_is_one() -> None:
    rounds = [record("alexnet", "thop", value, 1, 1, 1) | {"printed": 7} for value in (3, 1, 2)]
    assert peers.summary("alexnet", "thop", True, rounds)["first_ms"] == 2
    failed = peers.summary("alexnet", "thop", True, [*rounds, {"failure": "out of luck"}])
    assert (failed["failure"], failed.get("first_ms")) == ("out of luck", None)


LENET5_MODERN = 28**2 * 6 * 25 + 10**2 * 16 * 6 * 25 + 120 * 400 + 84 * 120 + 10 * 84


@pytest.mark.parametrize(("tool", "printed"), [(peers.ARCHCALC, LENET5_MODERN), ("no such tool", None)])
def test_a_measurement_in_a_process_of_its_own(tool: str, printed: int | None) -> None:
    found = peers.in_a_process(tool, "lenet5-modern", meta=True)
    assert found.get("printed") == printed
    assert ("KeyError" in found["failure"]) if printed is None else (found["peak_bytes"] > 1e8)
