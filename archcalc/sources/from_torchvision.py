"""`torchvision/NAME`: a model of the library torchvision, with the input size that its weights were made for."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any
from warnings import catch_warnings, simplefilter

from archcalc.sources.named import Named
from archcalc.sources.subject import Built, OwnInputs, build_with, check_settings, imported, no_weights
from archcalc.values.errors import unknown
from archcalc.values.trace import Shape

FRAMES = 16
"""Frames of a video clip, where a model's weights name no least number."""


def load(model: Named, settings: dict[str, Any], real: bool) -> Built:
    """The model that torchvision registers under that name; settings go to its builder."""
    torchvision = imported("torchvision", model.target)
    models, name = torchvision.models, model.library_name
    if name not in models.list_models():
        raise unknown("model of torchvision", name, models.list_models())
    no_weights(settings, ("weights", "weights_backbone", "pretrained", "pretrained_backbone"))
    builder = models.get_model_builder(name)
    check_settings(model.target, builder, settings)
    without = {key: None for key in ("weights", "weights_backbone") if key in inspect.signature(builder).parameters}
    with catch_warnings():
        simplefilter("ignore", FutureWarning)  # of how weights will be initialised
        module = build_with(model.target, partial(builder, **without), settings, real)
    source = f"torchvision {torchvision.__version__}"
    if ".detection." in type(module).__module__:
        return Built(module, source, own_inputs=_images(module))
    shape = _sample(models.get_model_weights(name))
    if isinstance(side := settings.get("image_size"), int):
        shape = (*shape[:-2], side, side)
    pair = ".optical_flow." in type(module).__module__
    return Built(module, source, own_inputs=_pair(shape)) if pair else Built(module, source, shape)


def _images(module: Any) -> OwnInputs:
    """A list of images, of the size to which the model would resize them."""
    width, height = module.transform.fixed_size or (module.transform.min_size[-1],) * 2
    return lambda batch_size: [[(3, height, width)] * (batch_size or 1)]


def _pair(shape: Shape) -> OwnInputs:
    """Two images, the motion between which is looked for."""
    return lambda batch_size: [(batch_size or 1, *shape)] * 2


def _sample(weights: Any) -> Shape:
    """The shape of one sample: what the transforms of the default weights make, with frames in front for a video."""
    entries = list(weights)
    if not entries:
        return (3, 224, 224)
    default = entries[-1]
    keywords = getattr(default.transforms, "keywords", {})
    size = keywords.get("crop_size", keywords.get("resize_size", default.meta.get("min_size", 224)))
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if sides == (1, 1) or len(sides) != 2:
        sides = (224, 224)
    if ".video." in weights.__module__:
        return (3, default.meta.get("min_temporal_size", FRAMES), *sides)
    return (3, *sides)
