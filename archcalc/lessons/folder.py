"""A user's folder of images as labelled data: a folder a class, read with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from archcalc.lessons.images import Images, split
from archcalc.values.errors import UsageError, error_text

ENDINGS = frozenset(".bmp .gif .jpeg .jpg .pgm .png .ppm .tif .tiff .webp".split())

MOST_BYTES = 2**31
"""What all images together may take in memory, at the size of the network."""


def read_folder(folder: Path, size: Sequence[int]) -> tuple[tuple[str, ...], Images, Images]:
    """The classes of a folder, its training images and its held-out images, in colour and at the size H×W.

    The folder holds a folder a class, and then the last quarter of each class by file name is held out; or it holds
    `train` and `test`, with a folder a class each. Raises UsageError, naming the file, for what cannot be read.
    """
    classes = classes_of(folder)
    parts = _parts(folder)
    if len(parts) == 1:
        return (classes, *split(_images(folder, classes, size)))
    if (others := _classes(parts[1])) != classes:
        differing = ", ".join(sorted(set(classes) ^ set(others)))
        raise UsageError(f"{parts[0]} and {parts[1]} hold different classes: {differing} is in one of them only")
    train, test = (_images(part, classes, size) for part in parts)
    return classes, train, test


def classes_of(folder: Path) -> tuple[str, ...]:
    """The names of the folders of images, in alphabetical order; UsageError for fewer than two."""
    return _classes(_parts(folder)[0])


def _parts(folder: Path) -> tuple[Path, ...]:
    """The folder itself, or `train` and `test` in it where both are there."""
    parts = folder / "train", folder / "test"
    return parts if all(part.is_dir() for part in parts) else (folder,)


def _classes(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted(entry.name for entry in _entries(folder) if entry.is_dir()))
    if len(names) < 2:
        raise UsageError(f"{folder} should hold a folder of images for each of two classes or more")
    return names


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise UsageError(f"cannot read {folder}: {error.strerror or error}") from error


def _images(folder: Path, classes: Sequence[str], size: Sequence[int]) -> Images:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        of_class = [file for file in _entries(folder / name) if file.suffix.lower() in ENDINGS and file.is_file()]
        if not of_class:
            raise UsageError(f"{folder / name} holds no images; their names end in {', '.join(sorted(ENDINGS))}")
        files += of_class
        labels += [label] * len(of_class)
    if (needed := len(files) * 3 * size[0] * size[1]) > MOST_BYTES:
        raise UsageError(
            f"{len(files):,} images of {size[0]}x{size[1]} take {needed / 2**30:.1f} GiB, more than the "
            f"{MOST_BYTES / 2**30:.0f} GiB that are kept in memory: take fewer images or a smaller input size"
        )
    return Images(torch.stack([_pixels(file, size) for file in files]), torch.tensor(labels))


def _pixels(file: Path, size: Sequence[int]) -> Tensor:
    try:
        from PIL import Image
    except ImportError as error:
        raise UsageError("reading a folder of images needs Pillow: pip install pillow") from error
    try:
        with Image.open(file) as image:
            resized = image.convert("RGB").resize((size[1], size[0]), Image.Resampling.BILINEAR)
            flat = torch.frombuffer(bytearray(resized.tobytes()), dtype=torch.uint8)
    except Exception as error:  # Pillow raises whatever the decoder of that format does
        raise UsageError(f"cannot read {file} as an image: {error_text(error)}") from error
    return flat.view(size[0], size[1], 3).permute(2, 0, 1)
