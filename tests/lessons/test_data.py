"""Data for training: the digits that are shipped, synthetic patterns, and folders of images."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import pytest
import torch
from PIL import Image

from archcalc.lessons.data import Dataset, load
from archcalc.lessons.images import Images, split
from archcalc.values.errors import UsageError

OF_UCI = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
"""Images a class of the test part, as the page of the data says."""


def test_the_digits_are_those_of_uci() -> None:
    data = load("digits")
    labels = torch.cat([data.train.labels, data.test.labels])
    assert tuple(labels.bincount().tolist()) == OF_UCI
    assert tuple(data.test.labels.bincount().tolist()) == tuple(images // 4 for images in OF_UCI)
    assert data.image_shape == (1, 8, 8)
    assert (int(data.train.pixels.min()), int(data.train.pixels.max())) == (0, 16)
    assert "CC BY 4.0" in resources.files("archcalc.lessons").joinpath("digits-notice.txt").read_text()
    pixels = (data.inputs(data.train, data.image_shape)).double()
    assert pixels.mean().item() == pytest.approx(0, abs=1e-6)
    assert pixels.square().mean().item() == pytest.approx(1, abs=1e-6)


def test_the_last_quarter_of_each_class_is_held_out() -> None:
    labels = torch.tensor([0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1])  # four images of class 0, eight of class 1
    train, test = split(Images(torch.arange(12).view(12, 1, 1, 1), labels))
    assert test.pixels.flatten().tolist() == [6, 10, 11]
    assert train.pixels.flatten().tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    with pytest.raises(UsageError, match="no class has 4 images"):
        split(Images(torch.zeros(3, 1, 1, 1), torch.zeros(3, dtype=torch.int64)))


def of(pixels: torch.Tensor) -> tuple[Dataset, Images]:
    """Data whose mean is 2 and whose deviation is 4 in each channel."""
    images = Images(pixels, torch.zeros(len(pixels), dtype=torch.int64))
    channels = pixels.shape[1]
    return Dataset("x", ("a",), images, images, torch.full((channels,), 2.0), torch.full((channels,), 4.0)), images


def test_images_are_standardised_and_fitted_to_the_network() -> None:
    grey, images = of(torch.tensor([[[[2.0, 6.0]]]]))  # one image of 1×2: 0 and 1, once standardised
    assert grey.inputs(images, (3, 1, 2)).tolist() == [[[[0.0, 1.0]]] * 3]
    # Four pixels between two: their centres lie at -1/4, 1/4, 3/4 and 5/4 of the way.
    assert grey.inputs(images, (1, 1, 4)).flatten().tolist() == [0.0, 0.25, 0.75, 1.0]
    colour, images = of(torch.tensor([2.0, 6.0, 10.0]).view(1, 3, 1, 1))
    assert colour.inputs(images, (1, 1, 1)).item() == 1.0  # the mean of 0, 1 and 2
    with pytest.raises(UsageError, match="have 3 channels, the network wants 4"):
        colour.inputs(images, (4, 1, 1))
    with pytest.raises(UsageError, match="reads 128 cannot be shown images"):
        colour.inputs(images, (128,))


def test_synthetic_images_are_always_the_same() -> None:
    state = torch.get_rng_state()
    first, second = load("synthetic"), load("synthetic")
    assert torch.equal(first.train.pixels, second.train.pixels)
    assert torch.equal(state, torch.get_rng_state())
    assert (len(first.train), len(first.test)) == (1200, 400)


def fill(folder: Path, colours: dict[str, tuple[int, int, int]], images: int = 4) -> Path:
    for name, colour in colours.items():
        (folder / name).mkdir(parents=True)
        for number in range(images):
            Image.new("RGB", (5, 3 + number), colour).save(folder / name / f"{number}.png")
    return folder


def test_a_folder_of_images(tmp_path: Path) -> None:
    data = load(str(fill(tmp_path, {"red": (255, 0, 0), "blue": (0, 0, 255)})), (2, 3))
    assert data.classes == ("blue", "red")
    assert data.image_shape == (3, 2, 3)
    assert data.test.labels.tolist() == [0, 1]
    assert data.test.pixels[:, :, 0, 0].tolist() == [[0, 0, 255], [255, 0, 0]]


def test_a_folder_may_say_what_is_held_out(tmp_path: Path) -> None:
    for part, images in (("train", 2), ("test", 1)):
        fill(tmp_path / part, {"a": (0, 0, 0), "b": (9, 9, 9)}, images)
    data = load(str(tmp_path), (4, 4))
    assert (len(data.train), len(data.test)) == (4, 2)
    (tmp_path / "test" / "c").mkdir()
    with pytest.raises(UsageError, match="different classes: c is in one of them only"):
        load(str(tmp_path))


def test_what_is_wrong_with_data_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="unknown data 'digit': did you mean digits"):
        load("digit")
    with pytest.raises(UsageError, match="each of two classes or more"):
        load(str(tmp_path))
    fill(tmp_path, {"a": (0, 0, 0), "b": (0, 0, 0)})
    monkeypatch.setattr("archcalc.lessons.folder.MOST_BYTES", 100)
    with pytest.raises(UsageError, match="more than"):
        load(str(tmp_path))
    monkeypatch.undo()
    (tmp_path / "b" / "0.png").write_bytes(b"no image")
    with pytest.raises(UsageError, match=r"cannot read .*0\.png as an image"):
        load(str(tmp_path))
    for file in (tmp_path / "b").iterdir():
        file.unlink()
    with pytest.raises(UsageError, match="b holds no images"):
        load(str(tmp_path))
    folder = fill(tmp_path / "c", {"a": (0, 0, 0), "b": (0, 0, 0)})
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match="pip install pillow"):
        load(str(folder))
