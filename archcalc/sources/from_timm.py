"""`timm/NAME`: a model of the library timm, with the input size of its own configuration."""

from __future__ import annotations

from functools import partial
from typing import Any

from archcalc.sources.named import Named
from archcalc.sources.subject import Built, build_with, imported, no_weights
from archcalc.values.errors import UsageError, unknown
from archcalc.values.trace import Shape


def load(model: Named, settings: dict[str, Any], real: bool) -> Built:
    """The model that timm registers under that name, a tag such as `.a1_in1k` included; settings go to its builder."""
    timm = imported("timm", model.target)
    name = model.library_name
    if not timm.is_model(name):
        raise unknown("model of timm", name, timm.list_models())
    no_weights(settings, ("pretrained", "checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay"))
    module = build_with(model.target, partial(timm.create_model, name, pretrained=False), settings, real)
    return Built(module, f"timm {timm.__version__}", _input_shape(module, settings))


def _input_shape(module: Any, settings: dict[str, Any]) -> Shape | None:
    """Channels and size of the module's configuration, of which settings of its builder go before."""
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", {})
    size = config.get("input_size")
    if size is None:
        return None
    channels, *sides = size
    channels = settings.get("in_chans", channels)
    given = settings.get("img_size")
    if given is not None:
        sides = [given, given] if isinstance(given, int) else list(given)
    shape = (channels, *sides)
    if not all(isinstance(side, int) for side in shape):
        raise UsageError(f"in_chans and img_size are whole numbers, not {channels!r} and {given!r}")
    return shape
