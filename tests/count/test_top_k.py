"""Top-k errors: the notes' own example, ties, scores that are no numbers, and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import archcalc
from archcalc.count.score_files import read_labels, read_scores
from archcalc.values.errors import UsageError
from tests.cli.test_cli import run

EXAMPLE = [0.1, 0.6, 0.05, 0.05, 0.2]
"""Cat, dog, house, ball, lion: the example of the notes."""


@pytest.mark.parametrize(
    ("label", "errors"),
    [(1, {1: 0, 2: 0, 5: 0}), (4, {1: 1, 2: 0, 5: 0}), (0, {1: 1, 2: 1, 3: 0}), (2, {3: 1, 4: 1, 5: 0, 9: 0})],
)
def test_the_example_of_the_notes(label: int, errors: dict[int, float]) -> None:
    """Dog is first, lion second, cat third; house and ball share the last two places."""
    result = archcalc.top_k_error([EXAMPLE], [label], errors)
    assert {k: result[k] for k in errors} == errors


def test_an_error_is_the_share_of_wrong_images() -> None:
    scores = torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    result = archcalc.top_k_error(scores, torch.tensor([0, 1, 2, 2]), (1, 2))
    assert (result[1], result[2]) == (2 / 4, 1 / 4)
    assert [(row.wrong, row.tied) for row in result.rows] == [(2, 0), (1, 0)]
    assert archcalc.TopKErrors.from_json(result.to_json()) == result
    with pytest.raises(KeyError, match="no top-5 error was asked for, but top-1, top-2"):
        result[5]


def test_ties_are_wrong_and_said() -> None:
    """Three equal scores: the true class may be first, second or third."""
    result = archcalc.top_k_error([[1, 1, 1, 0]], [0], (1, 2, 3))
    assert [(row.wrong, row.tied, row.least_error) for row in result.rows] == [(1, 1, 0.0), (1, 1, 0.0), (0, 0, 0.0)]
    assert "TIES" in str(result)
    infinite = archcalc.top_k_error([[float("inf"), float("inf"), 0.0]], [1], 1)
    assert (infinite[1], infinite.rows[0].tied) == (1.0, 1)


def test_an_image_with_a_score_that_is_no_number_is_wrong() -> None:
    nan = float("nan")
    result = archcalc.top_k_error([[nan, 1.0], [1.0, nan], [1.0, 0.0]], [0, 0, 0], (1, 2))
    assert (result.unordered, result[1], result[2]) == (2, 2 / 3, 2 / 3)
    assert "2 images with a score that is no number" in str(result)


def test_half_precision_tensors_that_require_gradients() -> None:
    scores = torch.tensor([EXAMPLE], dtype=torch.bfloat16, requires_grad=True)
    assert archcalc.top_k_error(scores, torch.tensor([1]), 1)[1] == 0


@pytest.mark.parametrize(
    ("scores", "labels", "k", "message"),
    [
        ([[1.0, 2.0]], [2], 1, "label 2 is no column of the scores: there are 0 to 1"),
        ([[1.0, 2.0]], [-1], 1, "label -1 is no column"),
        ([[1.0, 2.0]], [0, 1], 1, "one label for each of the 1 rows of scores, not 2"),
        ([[1.0, 2.0]], [0.5], 1, "labels should be whole numbers"),
        ([1.0, 2.0], [0], 1, "a row an image and a column a class, not of shape 2"),
        ([[1.0], [1.0, 2.0]], [0], 1, "scores are no table of numbers"),
        ([["a", "b"]], [0], 1, "scores should be numbers"),
        ([[1.0, 2.0]], [0], 0, "k should be a whole number of 1 or more"),
        ([[1.0, 2.0]], [0], (), "k should be a whole number"),
        ([[1.0, 2.0]], [0], True, "k should be a whole number"),
    ],
)
def test_what_does_not_fit_together_is_said(scores: Any, labels: Any, k: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        archcalc.top_k_error(scores, labels, k)


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_the_command_reads_names_and_numbers(tmp_path: Path) -> None:
    scores = file(
        tmp_path, "scores.csv", "고양이,강아지,집,축구공,사자\n0.1,0.6,0.05,0.05,0.2\n0.1,0.6,0.05,0.05,0.2\n"
    )
    labels = file(tmp_path, "labels.csv", "class\n강아지\n4\n")  # dog, and lion by its number
    result = run("top-k", str(scores), str(labels), "-k", "1,2,5", "-f", "csv")
    assert result.exit_code == 0, result.stderr
    lines = [line.split(",")[:4] for line in result.stdout.splitlines()]
    assert lines[0] == ["k", "error", "least_error", "wrong"]
    assert lines[1:] == [["1", "0.5", "0.5", "1"], ["2", "0", "0", "0"], ["5", "0", "0", "0"]]
    assert "with 5 classes the top-5 error is 0" in run("top-k", str(scores), str(labels)).stdout


def test_an_empty_cell_is_no_number(tmp_path: Path) -> None:
    table, names = read_scores(file(tmp_path, "scores.csv", "\ufeff1,,2\n\n3,nan,inf\n"))
    assert names == ()
    assert str(table) == "[[1.0, nan, 2.0], [3.0, nan, inf]]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "scores.csv is empty"),
        ("a,b\n", "holds no scores"),
        ("a,a\n1,2\n", "names the class 'a' twice"),
        ("1,2\n1,2,3\n", "line 2 holds 3 scores, and not 2"),
        ("1,2\n1,x\n", "line 2: 'x' is no number"),
        ('1,2\n"1,2\n', "is no CSV"),
    ],
)
def test_files_of_scores_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_scores(file(tmp_path, "scores.csv", text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dog\n", "holds 1 labels, and there are 2 rows"),
        ("dog\nfish\n", "line 2: 'fish' is no class; write a name among cat, dog, or a number of 0 to 1"),
        ("0\n2\n", "line 2: '2' is no class"),
        ("0\n0,1\n", "line 2 holds 2 values"),
    ],
)
def test_files_of_labels_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_labels(file(tmp_path, "labels.csv", text), ("cat", "dog"), 2, 2)


def test_what_is_wrong_at_the_command_line(tmp_path: Path) -> None:
    scores = str(file(tmp_path, "scores.csv", "1,2\n"))
    for words in ([scores, scores, "-k", "0"], [scores, "gone.csv"], [scores, scores, "-k", "1,,5"]):
        assert run("top-k", *words).exit_code == 2
