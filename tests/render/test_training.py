"""train: what is said of trainings, in the table, in the csv and in the chart."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

import archcalc
from archcalc.count.training_summary import at_chance, comparisons
from archcalc.formats import FORMATS, render
from archcalc.formats.layout import width_of
from archcalc.render import training as rendered
from archcalc.values.errors import UsageError
from tests.support.training_literals import DEGRADED, run, training


def test_degradation_is_no_overfitting() -> None:
    (sentence,) = comparisons(DEGRADED)
    assert sentence.startswith("plain56 is wrong about more of the images that it was trained on than plain20 in each")
    assert "60.0% – 80.0% against 1.0% – 2.0% of plain20. That is no overfitting" in sentence
    assert "(on held-out images: 70.0% – 75.0%)" in sentence


def test_ranges_that_overlap_show_nothing_and_fewer_errors_are_said() -> None:
    level = training(run("resnet20", 0, (0.01, 0.1)), run("resnet56", 0, (0.01, 0.1)))
    (sentence,) = comparisons(level)
    assert sentence == "resnet56 and resnet20 do not differ beyond their seeds in the training error: 1.0% against " + (
        "1.0% of resnet20."
    )
    better = training(run("vgg11", 0, (0.5, 0.5)), run("vgg19", 0, (0.1, 0.2)), run("lenet5", 0, (0.1, 0.1)))
    (sentence,) = comparisons(better)
    assert "vgg19 is wrong about fewer of the images that it was trained on than vgg11: 10.0% against 50.0%" in sentence


def test_a_plain_network_stands_beside_the_residual_one_of_its_depth() -> None:
    alike = training(run("plain56", 0, (0.8, 0.8)), run("resnet56", 0, (0.01, 0.1)), run("resnet20", 0, (0.01, 0.1)))
    of_depth, beside = comparisons(alike)
    assert of_depth.startswith("resnet56 and resnet20 do not differ")
    assert (
        beside
        == "resnet56 is wrong about fewer of the images that it was trained on than plain56: 1.0% against "
        + ("80.0% of plain56.")
    )


def test_guessing_is_said() -> None:
    """Of ten classes a guess is wrong nine times in ten."""
    guessing = training(run("a", 0, (0.87, 0.9)), run("b", 0, (0.85, 0.9)))
    assert (at_chance(guessing, "a"), at_chance(guessing, "b")) == (True, False)
    assert "a: no better than guessing" in str(guessing)


def test_the_table_has_medians_ranges_and_curves() -> None:
    text = render(rendered.training(DEGRADED), "table", width=120)
    summary = next(line for line in text.splitlines() if line.startswith("plain56")).split()
    assert summary[:5] == ["plain56", "3x8x8", "1,000", "2", "70.0%"]
    assert "60.0% – 80.0%" in text
    assert "1.5% ▏" in text  # the median of 1% and 2%, at the last epoch
    assert "1,352 images to train on · 445 held out" in text
    assert "nothing has converged" in text
    assert "UNFINISHED" not in text
    assert "1x8x8 each, in their own size, the grey channel 3 times for plain20 and plain56" in " ".join(text.split())


def test_an_unfinished_training_says_so() -> None:
    assert "1 run of those asked for did not take place" in str(replace(DEGRADED, runs=DEGRADED.runs[:3]))
    assert "4 runs of those asked for" in str(replace(DEGRADED, runs=()))


def test_the_csv_has_a_record_for_each_epoch() -> None:
    records = list(csv.DictReader(io.StringIO(render(rendered.training(DEGRADED), "csv"))))
    assert len(records) == 8
    assert {key: records[3][key] for key in ("network", "seed", "step", "epoch", "loss", "train_error")} == {
        "network": "plain56",
        "seed": "0",
        "step": "20",
        "epoch": "2",
        "loss": "1",
        "train_error": "0.6",
    }


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    document = rendered.training(DEGRADED)
    for form in FORMATS:
        assert render(document, form, width=width, ascii_only=True).isascii()
    assert all(width_of(line) <= width for line in render(document, "table", width=width).split("\n"))


def test_the_chart_shows_medians_and_ranges_in_percent() -> None:
    chart = archcalc.plot("training", run=DEGRADED)
    panels = chart.spec["concat"]
    assert [panel["title"]["text"] for panel in panels] == ["training error", "test error"]
    assert panels[0]["data"]["values"][-1] == pytest.approx(
        {"network": "plain56", "step": 20, "error_percent": 70, "low_percent": 60, "high_percent": 80}
    )
    assert str(chart) == "Lines: training and test error of plain20 and plain56 over 20 steps."
    (only,) = {record["network"] for record in _values(archcalc.plot("training", "Plain20", run=DEGRADED).spec)}
    assert only == "plain20"
    for arguments, message in (((), "--run FILE"), (("alexnet",), "it has plain20 and plain56")):
        with pytest.raises(UsageError, match=message):
            archcalc.plot("training", *arguments, run=DEGRADED if arguments else None)
    with pytest.raises(UsageError, match="run is for the chart training, not for layers"):
        archcalc.plot("layers", "lenet5", run=DEGRADED)


def _values(spec: dict[str, object]) -> list[dict[str, object]]:
    panels: list[dict[str, dict[str, list[dict[str, object]]]]] = spec["concat"]  # type: ignore[assignment]
    return panels[0]["data"]["values"]
