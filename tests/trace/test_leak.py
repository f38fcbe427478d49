"""Calls of the public functions, again and again, leave nothing behind: no tensors, no objects, no memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

CALLS = 200

SCRIPT = """
import gc, sys, warnings
warnings.simplefilter("ignore")
import torch
from torch import nn
import archcalc

net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Sigmoid(), nn.Flatten(), nn.Linear(144, 3),
                    nn.Softmax(1))
size = (1, 3, 8, 8)
report = archcalc.analyze(net, size)
kept = []
functions = {
    "leaking": lambda: kept.append(torch.zeros(20000)),
    "analyze": lambda: archcalc.analyze(net, size, backward=True, training=True),
    "memory": lambda: archcalc.memory(net, size),
    "compare": lambda: archcalc.compare(report, archcalc.analyze(net, size)),
    "conventions": lambda: archcalc.conventions(net, size),
    "explain": lambda: archcalc.explain(net, "0", size),
    "receptive_field": lambda: archcalc.receptive_field(net, "0", size),
    "build": lambda: archcalc.build("lenet5"),
    "text": lambda: (str(report), archcalc.Report.from_json(report.to_json())),
}

def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0

def live():
    gc.collect()
    return len(gc.get_objects()), sum(isinstance(thing, torch.Tensor) for thing in gc.get_objects()), resident()

for name, function in functions.items():
    for _ in range(20):
        function()
    before = live()
    for _ in range(int(sys.argv[1])):
        function()
    after = live()
    print(name, *(new - old for new, old in zip(after, before)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_no_function_leaks() -> None:
    command = [sys.executable, "-c", SCRIPT, str(CALLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    growths = {name: [int(number) for number in numbers] for name, *numbers in map(str.split, done.stdout.splitlines())}
    leaked_objects, leaked_tensors, leaked_kibibytes = growths.pop("leaking")  # shows that a leak would be seen
    assert (leaked_tensors, leaked_objects >= CALLS / 2, leaked_kibibytes > 8 * 1024) == (CALLS, True, True)
    assert len(growths) == 8
    for name, (objects, tensors, kibibytes) in growths.items():
        assert tensors == 0, name
        assert objects < CALLS / 2, f"{name}: {objects} objects more after {CALLS} calls"
        assert kibibytes < 8 * 1024, f"{name}: {kibibytes} KiB more after {CALLS} calls"
