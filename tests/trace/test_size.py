"""Large networks are counted exactly, in little memory; `python tests/support/large_nets.py` says how long it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.large_nets import BLOCKS, HIDDEN, LENGTH, WIDTH, WORDS

MIB = 2**20


def measured(*arguments: str) -> list[dict[str, Any]]:
    if not Path("/proc/self/status").exists():
        pytest.skip("memory is measured as Linux tells it")
    command = [sys.executable, str(Path(__file__).parents[1] / "support" / "large_nets.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return list(json.loads(done.stdout))


def test_a_transformer_of_seven_billion_parameters() -> None:
    _, found = measured("transformer")
    block = 4 * WIDTH * WIDTH + 3 * WIDTH * HIDDEN  # q, k, v, o; gate, up, down
    assert found["params"] == WORDS * WIDTH + BLOCKS * (block + 2 * WIDTH) + WIDTH + WIDTH * WORDS == 6_738_415_616
    attention = 2 * LENGTH * LENGTH * WIDTH  # scores and values, all heads together
    assert found["macs"] == LENGTH * (BLOCKS * block + WIDTH * WORDS) + BLOCKS * attention
    assert (found["complete"], found["notes"]) == (True, [])
    assert found["peak"] < 1024 * MIB


def test_memory_grows_with_the_number_of_layers_in_a_line() -> None:
    rest, half, whole = measured("5000", "10000")
    assert (whole["calls"], whole["params"], whole["macs"]) == (10_000, 640_000, 640_000)
    grown = [found["peak"] - rest["peak"] for found in (half, whole)]
    assert grown[1] < 3 * grown[0] + 20 * MIB  # four times would be quadratic
    assert grown[1] < 300 * MIB
