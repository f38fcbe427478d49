"""Receptive fields against the gradient, against hand, and where nothing may be said."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import ceil, prod

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import archcalc
from archcalc.count.report import build_report
from archcalc.count.rf import receptive_fields
from archcalc.sources.load import load
from archcalc.trace.run import trace
from archcalc.values.axis_field import AxisField
from archcalc.values.report import Row
from archcalc.zoo.registry import architecture
from tests.support.gradient_extent import Extent, extents, outputs
from tests.support.random_nets import CHANNELS, Call, network

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
    pytest.mark.usefixtures("one_thread"),
]

Seen = tuple[Row, tuple[AxisField, ...] | None]


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # thousands of small calls: threads would only wait for each other
    yield
    torch.set_num_threads(threads)


def followed(net: nn.Module, shape: Sequence[int]) -> dict[str, Seen]:
    """The last call in each module with its field, by the module's path; the network itself is ""."""
    found = trace(net, (torch.empty(1, *shape, device="meta"),))
    rows = build_report(found).rows
    seen = receptive_fields(found)
    last: dict[str, Seen] = {}
    for row, field in zip(rows, seen, strict=True):
        parts = row.module.split(".") if row.module else []
        for depth in range(len(parts) + 1):
            last[".".join(parts[:depth])] = row, field
    return last


def interior(axis: AxisField, positions: int, margin: int = 0) -> list[int]:
    """The units whose field lies inside the input, so far from its border that no layer's padding is in reach."""
    ends = [axis.ends(j) for j in range(positions)]
    return [j for j, (lo, hi) in enumerate(ends) if lo >= margin and hi < axis.length - margin]


def agree(row: Row, field: tuple[AxisField, ...], x: Tensor, out: Tensor, margin: int) -> None:
    """Assert both ends of interior units, and that no unit anywhere sees more than it is said to."""
    sizes = out.shape[2:]
    inside = [interior(axis, size, margin) for axis, size in zip(field, sizes, strict=True)]
    assert all(inside), f"{row.path}: no unit's field lies inside {tuple(x.shape)}"
    count = min(x.shape[0], max(map(len, inside)))
    # from the middle outwards, and where there are few, all of them
    order = [_from_the_middle(units) for units in inside]
    units = [tuple(axis[n % len(axis)] for axis in order) for n in range(count)]
    for unit, found in zip(units, extents(x, out, units), strict=True):
        assert found == [axis.ends(j) for axis, j in zip(field, unit, strict=True)], f"{row.path} at {unit}"
    edges = [tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)][: x.shape[0]]
    for unit, found in zip(edges, extents(x, out, edges), strict=True):
        for axis, j, extent in zip(field, unit, found, strict=True):
            assert within(extent, axis.ends(j)), f"{row.path} at {unit}"


def _from_the_middle(units: list[int]) -> list[int]:
    return sorted(units, key=lambda j: abs(j - units[len(units) // 2]))


def within(extent: Extent, ends: tuple[int, int]) -> bool:
    return extent is None or ends[0] <= extent[0] <= extent[1] <= ends[1]


def in_row(row: Row, field: tuple[AxisField, ...]) -> None:
    """Assert that the row says what the field says: the largest size over units, the mean jump, the first offset."""
    assert row.receptive_field == tuple(
        max(hi - lo + 1 for lo, hi in map(axis.ends, range(len(axis.lo)))) for axis in field
    )
    assert row.jump == tuple(Fraction(axis.ends(len(axis.lo))[0] - axis.lo[0], len(axis.lo)) for axis in field)
    assert row.rf_offset == tuple(axis.ends(0)[0] for axis in field)
    for axis, size, jump, offset in zip(field, row.receptive_field, row.jump, row.rf_offset, strict=True):
        for j in islice(range(40), 40 if len(axis.lo) == 1 else 0):
            assert axis.ends(j) == (offset + j * jump, offset + j * jump + size - 1)


# ---- every network of the zoo

VERY_DEEP = ["resnet1202", "preresnet1001", "preresnet164", "preresnet110", "resnet110", "plain110"]
SLOW = [*VERY_DEEP, "inception-v3", "inception-v4", "resnet101", "resnet152", "resnet101-v1.5", "resnet152-v1.5"]


@pytest.mark.parametrize("name", [name for name in archcalc.names() if name not in SLOW])
def test_every_stage_of_the_zoo_sees_what_the_gradient_says(name: str) -> None:
    check_zoo(name, depth=1, most=20)


@pytest.mark.oracle
@pytest.mark.parametrize("name", archcalc.names())
def test_every_module_of_the_zoo_sees_what_the_gradient_says(name: str) -> None:
    check_zoo(name, depth=9, most=3 if name in VERY_DEEP else 100)


def check_zoo(name: str, depth: int, most: int) -> None:
    """Compare the modules of a network that are not global, on inputs that are long along one axis at a time."""
    channels, *sizes = architecture(name).input_shape
    narrow = name != "lenet5"  # whose own layers have weights that must be real
    for axis in range(2):
        net = load(name, {}, real=not narrow).module
        # enough for every network to leave a position, and to keep what is held for the gradient small
        long = [12 if name in VERY_DEEP else min(size, 96) for size in sizes]
        long[axis] = _long_enough([said for path, said in followed(net, (channels, *sizes)).items() if path], axis)
        seen = {path: said for path, said in followed(net, (channels, *long)).items() if path and _local(said)}
        paths = [path for path in seen if path.count(".") < depth]
        paths = paths[:: max(1, ceil(len(paths) / most))]
        assert paths or name in ("head-gap", "head-fc")
        x, found = outputs(net, (channels, *long), 1 if name in VERY_DEEP else 2, paths, narrow)
        for path in paths:
            row, field = seen[path]
            in_row(row, field or ())
            _agree_along(row, (field or ())[axis], axis, x, found[path])


def _local(said: Seen) -> bool:
    row, field = said
    assert field, f"{row.path}: not known"
    return not any(axis.whole or axis.merged for axis in field)


def _long_enough(seen: list[Seen], axis: int) -> int:
    """The size of an input in which a unit of every layer has its whole field, and the one after it."""
    needed: int | Fraction = 1
    for said in filter(_local, seen):
        along = (said[1] or ())[axis]
        if along.jump:
            needed = max(
                needed, ceil(-along.lo[0] / along.jump) * along.jump + along.size + 2 * along.jump - along.lo[0]
            )
    return int(needed)


def _agree_along(row: Row, along: AxisField, axis: int, x: Tensor, out: Tensor) -> None:
    inside = interior(along, out.shape[2 + axis])
    assert inside, f"{row.path}: no unit's field lies inside {tuple(x.shape)}"
    asked = [inside[0], inside[-1]][: x.shape[0]]
    units = [tuple(j if at == axis else size // 2 for at, size in enumerate(out.shape[2:])) for j in asked]
    assert [found[axis] for found in extents(x, out, units)] == [along.ends(j) for j in asked], row.path


# ---- networks at random


LARGEST = 200_000
"""Elements of a map for which there is time."""

UNITS = 6
"""Units of each block that are asked what they see."""


def check_random(seed: int, axes: int, sizes: Sequence[int]) -> bool:
    """Compare all blocks of one network on the smallest input that is large enough; whether there is one."""
    net = network(seed, axes, 6 if axes < 3 else 2)
    for size in sizes:
        shape = (CHANNELS, *(size + axis for axis in range(axes)))
        seen = {path: said for path, said in followed(net, shape).items() if "." not in path and path}
        assert seen.keys() == {str(number) for number in range(len(net))}
        for path, (row, field) in seen.items():
            assert field is not None, f"{path} {row.path}: not known in {net}"
        if max(prod(row.output_shapes[0]) for row, _ in seen.values()) > LARGEST:
            return False
        # a layer may cut off or leave over less than a step, and the next may pad what is missing
        margin = 1 + 2 * int(sum(max(axis.jump for axis in field or ()) for _, field in seen.values()))
        if all(
            interior(axis, n, margin)
            for row, field in seen.values()
            for axis, n in zip(field or (), row.output_shapes[0][2:], strict=True)
        ):
            break
    else:
        return False
    x, found = outputs(net, shape, UNITS, list(seen))
    for path, (row, field) in seen.items():
        in_row(row, field or ())
        agree(row, field or (), x, found[path], margin)
    return True


def seeds(first: int, count: int, quick: int) -> list[object]:
    """Tens of seeds, the first few for every run of the tests and the rest for `make oracle`."""
    tens = [range(start, start + 10) for start in range(first, first + count, 10)]
    return [
        pytest.param(ten, id=f"{ten[0]}-{ten[-1]}", marks=pytest.mark.oracle if number >= quick else ())
        for number, ten in enumerate(tens)
    ]


@pytest.mark.parametrize("ten", seeds(0, 150, quick=8))
def test_random_networks_on_sound(ten: range) -> None:
    assert sum(check_random(seed, 1, (50, 150, 450, 1350, 4000)) for seed in ten) == 10


@pytest.mark.parametrize("ten", seeds(1000, 150, quick=3))
def test_random_networks_on_images(ten: range) -> None:
    assert sum(check_random(seed, 2, (40, 60, 90, 130, 190)) for seed in ten) >= 8  # the others see too much for that


@pytest.mark.parametrize("ten", seeds(2010, 50, quick=2))
def test_random_networks_on_volumes(ten: range) -> None:
    assert sum(check_random(seed, 3, (16, 24, 32, 44)) for seed in ten) >= 4


@pytest.mark.parametrize("seed", range(3000, 3012))
@pytest.mark.parametrize("end", ["global pool", "mean", "flatten and linear", "squeeze and excite"])
def test_a_global_end_sees_all_that_the_layer_before_it_sees(seed: int, end: str) -> None:
    body = network(seed, 2, 3)
    with torch.device("meta"):
        maps = network(seed, 2, 3).to("meta").eval()(torch.empty(1, CHANNELS, 24, 25))
    ends = {
        "global pool": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(CHANNELS, CHANNELS, 1)),
        "mean": Call(lambda x: x.mean((2, 3))[:, :, None, None]),
        "flatten and linear": nn.Sequential(
            nn.Flatten(), nn.Linear(maps.numel(), CHANNELS), nn.Unflatten(1, (CHANNELS, 1, 1))
        ),
        "squeeze and excite": Call(lambda x: x * F.adaptive_avg_pool2d(x, 1).sigmoid()),
    }
    net = nn.Sequential(OrderedDict(body=body, end=ends[end]))
    seen = followed(net, (CHANNELS, 24, 25))
    assert seen["end"][0].receptive_field == "all"
    x, found = outputs(net, (CHANNELS, 24, 25), 1, ["body", "end"])
    every = torch.autograd.grad(found["body"].sum(), x, retain_graph=True)[0].ne(0).any(1)[0]
    unit = torch.autograd.grad(found["end"][:, :, 0, 0].sum(), x)[0].ne(0).any(1)[0]
    assert torch.equal(every, unit)
