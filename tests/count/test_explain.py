"""explain: every derivation that is printed is evaluated, and comes out at the value beside it."""

from __future__ import annotations

import json
import math
import re

import pytest
from torch import nn

import archcalc
from archcalc.count.explain import of_network, of_row
from archcalc.formats import FORMATS
from tests.cli.test_cli import run

NETWORKS = ["alexnet", "lenet5", "googlenet", "resnet50", "vgg16", "nin", "inception-module", "residual-projection"]


def evaluated(text: str) -> tuple[int, int]:
    """Both sides of a derivation such as "256 filters × (5×5×48 weights + 1 bias) = 307,456"."""
    left, right = text.rsplit(" = ", 1)
    left = re.sub(r"\([\d.<]+%\)", "", left).replace(",", "").replace("−", "-").replace("·", "*").replace("×", "*")
    left = re.sub(r"⌊(.*?)⌋", r"math.floor(\1)", left)
    left = re.sub(r"⌈(.*?)⌉", r"math.ceil(\1)", left)
    # names stand before their number in a sum of layers, and behind it elsewhere: neither takes part
    left = re.sub(r"(?<![\w.])(?!math|floor|ceil)[A-Za-z_][\w.\-]*(?:\*[a-z_]+)?", "", left)
    return eval(left, {"math": math}), int(right.replace(",", ""))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_derivation_comes_out_at_its_value(name: str) -> None:
    report = archcalc.analyze(name, backward=name == "alexnet")
    checked = 0
    for row in report.rows:
        for step in of_row(report, row):
            if " = " not in step.derivation:
                assert (
                    not step.value or step.derivation.split()[0].replace(",", "") == str(step.value) or row.parameters
                )
                continue
            value, said = evaluated(step.derivation)
            assert value == said == step.value, step
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_lines_of_the_lecture(batch_size: int) -> None:
    report = archcalc.analyze("alexnet", batch_size=batch_size)
    conv2 = next(row for row in report.rows if row.path == "conv2")
    samples = "" if batch_size == 1 else "4 samples × "
    assert [step.derivation for step in of_row(report, conv2)] == [
        "⌊(27 + 2·2 − 5)/1⌋ + 1 = 27",
        "256 filters × (5×5×48 weights + 1 bias) = 307,456",
        f"{samples}27×27×256 outputs × 5×5×48 = {batch_size * 223948800:,}",
        "19 + (5 − 1)·8 = 51",
    ]


def test_a_whole_network_says_where_params_and_macs_are() -> None:
    steps = {step.quantity: step for step in of_network(archcalc.analyze("alexnet"))}
    assert steps["params"].derivation.startswith("fc6 37,752,832 (61.9%) + ")
    assert (
        steps["mult-adds by kind"].derivation == "conv2d 665,784,864 (91.9%) + linear 58,621,952 (8.1%) = 724,406,816"
    )
    assert steps["params"].value == 60965224


def test_explain_prints_the_claims_about_a_layer() -> None:
    result = run("explain", "alexnet", "conv1", COLUMNS="200")
    assert result.exit_code == 0, result.output
    assert "⌊(227 + 2·0 − 11)/4⌋ + 1 = 55" in result.stdout
    assert "claim" in result.stdout
    assert "96 of 11" in result.stdout
    assert "differs" in run("explain", "alexnet", "conv1", COLUMNS="200").stdout  # the erratum of 253,440 neurons


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("place", [[], ["inception_3a"], ["inception_3a.5x5"]])
def test_every_format(form: str, place: list[str]) -> None:
    result = run("explain", "googlenet", *place, "-f", form)
    assert result.exit_code == 0, result.output
    if form == "json":
        assert json.loads(result.stdout)["schema"] == "archcalc.explain/1"


def test_an_unknown_layer_offers_the_closest() -> None:
    result = run("explain", "googlenet", "inception_3c")
    assert result.exit_code == 2
    assert "did you mean inception_" in " ".join(result.stderr.split())


# ---- archcalc.explain


def test_the_library_explains_a_layer_as_the_command_does() -> None:
    explained = archcalc.explain("alexnet", "conv2")
    assert [(step.path, step.quantity, step.value) for step in explained.steps] == [
        ("conv2", "output", 27),
        ("conv2", "params", (5 * 5 * 48 + 1) * 256),
        ("conv2", "mult-adds", 27 * 27 * 256 * 5 * 5 * 48),
        ("conv2", "receptive field", 19 + 4 * 8),
    ]
    assert explained.verdicts
    assert all(verdict.claim.place == "conv2" for verdict in explained.verdicts)
    assert str(explained) + "\n" == run("explain", "alexnet", "conv2", COLUMNS="100").stdout


def test_the_library_explains_a_module_and_a_whole_network() -> None:
    module = archcalc.explain("googlenet", "inception_3a")
    assert {step.path.rpartition(".")[0] for step in module.steps} == {"inception_3a"}
    assert len(module.rows) > len({step.path for step in module.steps})  # a concatenation derives nothing
    whole = archcalc.explain("lenet5")
    assert (whole.place, whole.rows) == (None, ())
    assert [step.quantity for step in whole.steps] == ["params", "params by kind", "mult-adds", "mult-adds by kind"]


def test_backward_is_derived_where_it_was_followed() -> None:
    explained = archcalc.explain("alexnet", "conv2", backward=True)
    steps = {step.quantity: step for step in explained.steps}
    assert steps["backward mult-adds"].value == 2 * 27 * 27 * 256 * 5 * 5 * 48
    assert "backward mult-adds" not in {step.quantity for step in archcalc.explain("alexnet", "conv2").steps}


def test_nobody_claims_anything_of_a_model_of_ones_own() -> None:
    explained = archcalc.explain(nn.Sequential(nn.Linear(4, 2)), "0", (1, 4))
    assert (explained.steps[0].value, explained.verdicts) == (4 * 2 + 2, ())
    with pytest.raises(archcalc.UsageError, match="unknown place in Sequential '1'"):
        archcalc.explain(nn.Sequential(nn.Linear(4, 2)), "1", (1, 4))
    with pytest.raises(archcalc.ModelError, match="failed at 0"):
        archcalc.explain(nn.Sequential(nn.Linear(4, 2)), None, (1, 5))
