"""Calls of the public functions, again and again, leave nothing behind: no tensors, no objects, no memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import archcalc

SCRIPT = Path(__file__).parents[1] / "support" / "repeated_calls.py"
EXTRA = {"text", "leaking"}
"""What the script calls beside the public functions."""
MEASURED_BY_NOTHING = {"names"}  # it returns a list of strings that are kept for good


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize("calls", [8, pytest.param(200, marks=pytest.mark.oracle)])
def test_no_function_leaks(calls: int) -> None:
    pytest.importorskip("vl_convert", reason="charts need it: pip install 'archcalc[pictures]'")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(calls)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    growths = {name: [int(number) for number in numbers] for name, *numbers in map(str.split, done.stdout.splitlines())}
    public = {name for name in archcalc.__all__ if name.islower()} - MEASURED_BY_NOTHING
    assert growths.keys() - EXTRA == public, "tests/support/repeated_calls.py calls every public function"
    settled = calls >= 200  # the first calls fill caches, and the heap of the charts' engine
    times, objects, tensors, kibibytes = growths.pop("leaking")  # shows that a leak would be seen
    assert (tensors, objects >= times / 2) == (times, True)
    assert not settled or kibibytes > 8 * 1024  # 80,000 bytes a call
    for name, (times, objects, tensors, kibibytes) in growths.items():
        assert tensors <= 0, f"{name}: {tensors} tensors more after {times} calls"
        assert objects < times / 2, f"{name}: {objects} objects more after {times} calls"
        assert not settled or kibibytes < 8 * 1024, f"{name}: {kibibytes} KiB more after {times} calls"
