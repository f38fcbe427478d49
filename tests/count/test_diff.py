"""What differs between two reports: deltas that add up, nothing for equal ones, and bounds that stay bounds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from random import Random

import pytest
import torch
from torch import Tensor, nn

from archcalc.analysis import analysis_of
from archcalc.count.diff import difference, fold_difference, fold_difference_to
from archcalc.count.diff_limits import exceeded, limits
from archcalc.count.diff_summary import summary
from archcalc.values.difference import Difference
from archcalc.values.errors import UsageError
from archcalc.values.report import Report, Source
from tests.support import random_nets
from tests.support.render_literals import FAILED, INCOMPLETE, REPORTS, SMALL, conv, linear

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")


@cache
def report(seed: int) -> Report:
    shape = (1, random_nets.CHANNELS, 24, 24)
    return analysis_of(random_nets.network(seed, 2), shape, training=True, backward=seed % 2 == 0).report


def thinned(whole: Report, random: Random) -> Report:
    """The report without some of its rows, others of another width or in another module; no edges are left."""
    rows = [replace(row, inputs_from=()) for row in whole.rows if random.random() < 0.8]
    for at in range(len(rows)):
        if random.random() < 0.2:
            rows[at] = replace(rows[at], params=rows[at].params + 7, path=f"other.{rows[at].path}")
    return replace(whole, rows=tuple(rows), outputs_from=())


def pairs() -> list[tuple[Report, Report]]:
    random = Random(0)
    reports = [report(seed) for seed in range(6)]
    changed = [thinned(one, random) for one in reports]
    return [*pairwise(reports), *zip(reports, changed, strict=True), (SMALL, INCOMPLETE)]


def mirrored(whole: Difference) -> Counter[tuple[object, ...]]:
    """The lines as those of the opposite difference."""
    names = {"added": "removed", "removed": "added"}
    return Counter(
        (
            names.get(line.status, line.status),
            line.after and line.after.path,
            line.before and line.before.path,
            *(None if delta.change is None else -delta.change for delta in line.deltas),
        )
        for line in whole.layers
    )


def lines(whole: Difference) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            line.status,
            line.before and line.before.path,
            line.after and line.after.path,
            *(delta.change for delta in line.deltas),
        )
        for line in whole.layers
    )


@pytest.mark.parametrize("one", [*REPORTS, *map(report, range(3))], ids=lambda one: one.subject)
def test_a_report_does_not_differ_from_itself(one: Report) -> None:
    whole = difference(one, one)
    assert whole.equal
    assert [line.status for line in whole.layers] == ["same"] * len(one.rows)
    assert summary(whole).startswith("Nothing differs")
    assert exceeded(whole, limits("params=0,macs=0%")) == []


def test_the_deltas_of_the_layers_add_up_to_the_difference_of_the_totals() -> None:
    for before, after in pairs():
        whole = difference(before, after)
        for folded in (whole, fold_difference(whole, 1), fold_difference(whole, 2), fold_difference_to(whole, 3)):
            for at, delta in enumerate(folded.totals):
                known = after.total(delta.key) - before.total(delta.key)
                assert sum(line.deltas[at].known_change for line in folded.layers) == known == delta.known_change
                assert delta.change in (None, known)
            assert sum(line.layers for line in folded.layers) == len(whole.layers)
            assert sum(line.differing for line in folded.layers) == len(whole.differing)


def test_the_opposite_difference_is_the_mirror() -> None:
    for before, after in pairs():
        assert mirrored(difference(before, after)) == lines(difference(after, before))


def test_every_layer_of_both_stands_once() -> None:
    for before, after in pairs():
        whole = difference(before, after)
        assert [line.before for line in whole.layers if line.before] == list(before.rows)
        assert [line.after for line in whole.layers if line.after] == list(after.rows)


def test_what_is_unknown_is_never_an_exact_change() -> None:
    for before, after in ((SMALL, INCOMPLETE), (INCOMPLETE, SMALL), (SMALL, FAILED)):
        macs = next(delta for delta in difference(before, after).totals if delta.key == "macs")
        assert macs.change is None
        assert "how much the mult-adds change is not known" in summary(difference(before, after))
        assert exceeded(difference(before, after), limits("macs=50%")) == [
            "macs=50%: the mult-adds are a lower bound, so that nobody knows by how much they grew"
        ]
    odd = [line for line in difference(SMALL, INCOMPLETE).layers if line.path == "odd"]
    assert [delta.change for delta in odd[0].deltas] == [0, None, None]


def of(*rows: tuple[str, int]) -> Report:
    made = [linear(path, 4, width) for path, width in rows]
    edges = [Source("input"), *(Source("call", row) for row in range(len(made)))]
    wired = tuple(replace(row, inputs_from=(edge,)) for row, edge in zip(made, edges, strict=False))
    return replace(SMALL, rows=wired, outputs_from=(edges[-1],))


def test_each_layer_is_added_removed_changed_renamed_or_the_same() -> None:
    whole = difference(
        of(("a.x", 2), ("a.y", 3), ("a.gone", 5), ("head", 9)), of(("a.x", 2), ("b.y", 3), ("head", 8), ("new", 7))
    )
    assert [(line.status, line.path) for line in whole.layers] == [
        *(("same", "a.x"), ("renamed", "b.y"), ("removed", "a.gone"), ("changed", "head"), ("added", "new"))
    ]
    # a linear layer of 4 inputs has 4 + 1 params an output
    assert [line.deltas[0].change for line in whole.layers] == [0, 0, -5 * 5, 5 * 8 - 5 * 9, 5 * 7]
    folded = fold_difference(whole, 1)
    statuses = {line.path: (line.status, line.differing, line.layers) for line in folded.layers}
    assert statuses == {
        "a": ("changed", 1, 2),
        "b.y": ("renamed", 1, 1),
        "head": ("changed", 1, 1),
        "new": ("added", 1, 1),
    }


def test_the_summary_names_the_module_that_holds_most_of_it() -> None:
    before = of(("stem", 1), ("mid.attn.q", 100), ("mid.attn.k", 100), ("head", 10))
    after = of(("stem", 1), ("mid.attn.q", 150), ("mid.attn.k", 150), ("head", 20))
    # 2 x 50 outputs x 5 in mid.attn, 10 x 5 in the head: 500 of 550
    text = summary(difference(before, after))
    assert text.startswith(
        "+550 params (+52.1%), 91% of it in mid.attn; +440 mult-adds (+52.1%), 91% of it in mid.attn"
    )
    assert text.endswith("Layers: 3 changed, 1 same.")
    against = of(("stem", 1), ("mid.attn.q", 150), ("mid.attn.k", 150), ("head", 5))
    assert " of it in " not in summary(difference(before, against))


class Wired(nn.Module):
    def __init__(self, skips: bool) -> None:
        super().__init__()
        self.first, self.second, self.skips = nn.Linear(4, 4), nn.Linear(4, 4), skips

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        z = self.second(y)
        return torch.relu(z + (y if self.skips else x))


def test_another_input_of_a_layer_is_a_difference_though_it_costs_the_same() -> None:
    whole = difference(*(analysis_of(Wired(skips), (1, 4)).report for skips in (False, True)))
    assert [(line.path, line.reason) for line in whole.differing] == [("add", "reads first, not input x")]
    assert not whole.equal
    assert exceeded(whole, limits("params=0,macs=0")) == []


def test_a_layer_that_is_put_in_between_does_not_change_its_neighbours() -> None:
    whole = difference(of(("a", 4), ("b", 4)), of(("a", 4), ("new", 3), ("b", 4)))
    assert [line.status for line in whole.layers] == ["same", "added", "same"]


def test_what_differs_beside_the_layers_is_noted() -> None:
    other = replace(SMALL, training=True, uncalled={"aux.weight": 1000}, input_shapes=((1, 3, 224, 224),))
    assert difference(SMALL, other).notes == (
        "input 1x3x227x227 -> 1x3x224x224",
        "mode eval -> training",
        "params that are not run 0 -> 1,000",
    )


LIMITS = {"params=20": True, "params=19": False, "params=20%": True, "params=19.9%": False, "mult-adds=16": True}
LIMITS |= {"macs=15,params=1k": False, "depth=0": True, "flops=32": True, "flops=31": False, "macs=0.016k": True}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_holds_up_to_the_last_parameter(limit: str) -> None:
    # from 20 outputs to 24: 100 params to 120, 80 macs to 96
    before, after = of(("fc", 20)), of(("fc", 24))
    assert (exceeded(difference(before, after), limits(limit)) == []) == LIMITS[limit]
    assert exceeded(difference(after, before), limits(limit)) == []


@pytest.mark.parametrize(
    "text", ["", ",", "params", "params=", "params=x", "params=-1", "params=2k%", "kernel=0", "all=0"]
)
def test_a_limit_that_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="limit"):
        limits(text)


def test_a_share_of_nothing_is_exceeded_by_anything() -> None:
    before, after = of(("relu", 0)), of(("relu", 1))
    assert exceeded(difference(before, after), limits("params=100%")) == ["params=100%: params 0 -> 5, +5"]
    conv_rows = replace(SMALL, rows=(conv("conv", (1, 4, 4), (1, 4, 4), 1),))
    assert exceeded(difference(conv_rows, conv_rows), limits("macs=0%")) == []
