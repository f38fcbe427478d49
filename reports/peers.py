"""Times archcalc beside other tools on the same networks; `make peers` writes peers.csv and the README's table.

Every measurement is a process of its own, so that each is a first call: torch is imported, the network is built on
the meta device, and the tool is asked for its count. The processes take turns, round after round, and of each the
median counts. A tool that fails on the meta device gets the same network with weights.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from statistics import geometric_mean, median
from tempfile import TemporaryFile
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
README, PUBLIC_NETS = ROOT / "README.md", ROOT / "tests" / "support" / "public_nets.py"
MARKS = "<!-- peers -->", "<!-- /peers -->"

OTHER_FAMILIES = ("vit_b_16", "densenet121")
NETWORKS = ("alexnet", "vgg16", "googlenet", "inception-v3", "resnet50", "resnet152", *OTHER_FAMILIES)
DEEPEST = "resnet1202"
ARCHCALC, TABLE, FORWARD, NOTHING = "archcalc", "archcalc table", "bare meta forward", "import torch"
PEERS = ("torch FlopCounterMode", "torchinfo", "ptflops", "thop", "calflops", "torchscan", "fvcore", "TorchLens")
COLUMNS = "network tool weights first_ms again_ms process_ms peak_bytes printed rounds failure".split()


# ---- one process


def measure(tool: str, network: str, meta: bool) -> dict[str, Any]:
    """What one tool takes for one network in this process: its first call, the same once more, and its number."""
    import torch

    if tool == NOTHING:
        return {}
    with torch.device("meta") if meta else nullcontext():
        module, shape = built(network)
    run = call_of(tool, module.eval(), torch.empty(1, *shape, device="meta") if meta else torch.rand(1, *shape))
    times = []
    for _ in range(2):
        start = time.perf_counter()
        printed = run()
        times.append(1e3 * (time.perf_counter() - start))
    return {"first_ms": times[0], "again_ms": times[1], "printed": printed}


def built(network: str) -> tuple[Any, tuple[int, ...]]:
    """The network, and the shape of one image."""
    from archcalc.zoo.registry import architecture, build, names

    if network in names():
        return build(network), architecture(network).input_shape
    from tests.support import public_nets

    module = getattr(public_nets, network)()
    return module, module.input_shape


def call_of(tool: str, module: Any, image: Any) -> Callable[[], int | None]:
    """The call to time, with what it needs imported."""
    import torch

    if tool == FORWARD:

        def forward() -> None:
            with torch.no_grad():
                module(image)

        return forward
    if tool == ARCHCALC:
        from archcalc import analyze

        return lambda: analyze(module, tuple(image.shape)).total("macs")
    from archcalc.peers.registry import peers

    peer = peers()[tool]
    __import__(peer.module)

    def quiet() -> int:
        with redirect_stdout(sys.stderr):
            return peer.run(module, (image,), {})

    return quiet


# ---- all of them


def in_a_process(tool: str, network: str, meta: bool) -> dict[str, Any]:
    """The same measured in a fresh process, with the whole of its time and memory; or why it failed."""
    command = [sys.executable, __file__, "--one", tool, network, *(["--meta"] if meta else [])]
    if tool == TABLE:
        model = [f"{PUBLIC_NETS}:{network}", "-i", "3x224x224"] if network in OTHER_FAMILIES else [network]
        command = [sys.executable, "-m", "archcalc", "table", *model, "-f", "csv"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    with TemporaryFile("w+") as said, TemporaryFile("w+") as complained:
        process = subprocess.Popen(command, stdout=said, stderr=complained, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        took = 1e3 * (time.perf_counter() - start)
        said.seek(0)
        complained.seek(0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            return {"failure": (complained.read().strip().splitlines() or [f"exit {process.returncode}"])[-1][:200]}
        found = {} if tool == TABLE else json.loads(said.read().splitlines()[-1])
    most = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {**found, "process_ms": took, "peak_bytes": most}


def rounds(tools: list[str], count: int) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    """Every measurement in turns; the first of a tool and network decides whether the meta device will do."""
    on_meta: dict[tuple[str, str], bool] = {}
    turns = [(network, tool) for network in NETWORKS for tool in (NOTHING, ARCHCALC, TABLE, FORWARD, *tools)]
    turns += [(DEEPEST, tool) for tool in (ARCHCALC, FORWARD)]
    for at, (network, tool) in enumerate(turns * count, 1):
        print(f"\r{at}/{count * len(turns)} {network}, {tool}".ljust(78), end="", file=sys.stderr, flush=True)
        meta = on_meta.get((network, tool), True)
        found = in_a_process(tool, network, meta)
        if "failure" in found and (network, tool) not in on_meta:
            meta, found = False, in_a_process(tool, network, False)
        on_meta[network, tool] = meta
        yield network, tool, meta, found
    print(file=sys.stderr)


def records(tools: list[str], count: int) -> list[dict[str, Any]]:
    """A record a network and tool, with the median of its measurements."""
    taken: dict[tuple[str, str, bool], list[dict[str, Any]]] = defaultdict(list)
    for network, tool, meta, found in rounds(tools, count):
        taken[network, tool, meta].append(found)
    return [summary(*key, measured) for key, measured in taken.items()]


def summary(network: str, tool: str, meta: bool, measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of what was measured, and the number that the tool gave."""
    record: dict[str, Any] = {"network": network, "tool": tool, "weights": "meta" if meta else "real"}
    record |= {"rounds": len(measured), "printed": measured[0].get("printed")}
    failed = [each["failure"] for each in measured if "failure" in each]
    if failed:
        return record | {"failure": failed[0]}
    for name in ("first_ms", "again_ms", "process_ms", "peak_bytes"):
        if name in measured[0]:
            record[name] = round(median(each[name] for each in measured), 1 if name.endswith("_ms") else None)
    return record


# ---- what is written


class Figures:
    """The records, to be asked for ratios."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        self.of = {(each["network"], each["tool"]): each for each in found}

    def ratios(self, tool: str, measure: str, against: str) -> list[float]:
        """One tool's figures over another's, a network each, where both have any."""
        pairs = [[self.of.get((network, name), {}).get(measure) for name in (tool, against)] for network in NETWORKS]
        return [one / other for one, other in pairs if one and other]

    def mean(self, tool: str, measure: str, against: str) -> str:
        """The geometric mean of the ratios, to two digits; "" where there are none."""
        each = self.ratios(tool, measure, against)
        return f"{geometric_mean(each):#.2g}".rstrip(".") if each else ""

    def table(self) -> str:
        """The README's: each tool's figures over archcalc's."""
        lines = [
            "| over archcalc's | first analysis | a second one | whole process | peak memory | networks |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for tool in (ARCHCALC, *PEERS, FORWARD, NOTHING):
            cells = [self.mean(tool, name, ARCHCALC) for name in ("first_ms", "again_ms", "process_ms", "peak_bytes")]
            counted = sum((network, tool) in self.of and "process_ms" in self.of[network, tool] for network in NETWORKS)
            if counted:
                lines.append(f"| {tool} | {' | '.join(cells)} | {counted} of {len(NETWORKS)} |")
        return "\n".join(lines)

    def goals(self) -> str:
        """What archcalc aims at: a part of the bare forward pass, and little beyond the import of torch."""
        each = dict(zip(NETWORKS, self.ratios(ARCHCALC, "first_ms", FORWARD), strict=True))
        deepest = [self.of[DEEPEST, tool]["first_ms"] for tool in (ARCHCALC, FORWARD)]
        return "\n".join(
            [
                f"first analysis / bare meta forward: {self.mean(ARCHCALC, 'first_ms', FORWARD)}",
                *(f"  {network}: {ratio:.3f}" for network, ratio in each.items()),
                f"  {DEEPEST}: {deepest[0] / deepest[1]:.3f}",
                f"second analysis / second forward: {self.mean(ARCHCALC, 'again_ms', FORWARD)}",
                "archcalc table / import torch: "
                f"{geometric_mean(self.ratios(TABLE, 'process_ms', NOTHING)):.3f} in time, "
                f"{geometric_mean(self.ratios(TABLE, 'peak_bytes', NOTHING)):.3f} in memory",
            ]
        )


def main() -> None:
    """Measure one, or all and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each tool and network")
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "NETWORK"), help="a single measurement, as JSON")
    parser.add_argument("--meta", action="store_true", help="with --one: on the meta device")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one[0], given.one[1], given.meta)))
        return
    from archcalc.peers.registry import peers
    from archcalc.peers.run import is_installed

    tools = [tool for tool in PEERS if is_installed(peers()[tool])]
    if missing := sorted(set(PEERS) - set(tools)):
        print(f"not installed, and left out: {', '.join(missing)}; pip install archcalc[peers]", file=sys.stderr)
    found = records(tools, given.rounds)
    with (HERE / "peers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(found)
    figures = Figures(found)
    before, _, rest = README.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    if after:
        README.write_text(f"{before}{MARKS[0]}\n{figures.table()}\n{MARKS[1]}{after}", encoding="utf-8")
    print(figures.goals())


if __name__ == "__main__":
    main()
