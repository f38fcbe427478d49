"""`diffusers/path/to/config.json` and `diffusers/OWNER/NAME/FOLDER`: a part of a diffusion pipeline."""

from __future__ import annotations

import inspect
from typing import Any

from archcalc.sources.diffusers_inputs import own_inputs
from archcalc.sources.hub import config_of
from archcalc.sources.named import Named
from archcalc.sources.subject import Built, build, imported
from archcalc.values.errors import UsageError, unknown


def load(model: Named, settings: dict[str, Any], real: bool) -> Built:
    """The class that the configuration names as `_class_name`; settings replace fields of it.

    `tokens`, which is no field, is the length of the prompt that goes in.
    """
    settings = dict(settings)
    tokens = settings.pop("tokens", None)
    if tokens is not None and (not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 1):
        raise UsageError(f"a prompt has at least one token, not {tokens!r}")
    document = config_of(model)
    if "_class_name" not in document and "model_type" in document:
        raise UsageError(f"{model.target} is a configuration of transformers: write hf/ for diffusers/")
    diffusers = imported("diffusers", model.target)
    model_class = _class(diffusers, model.target, document)
    fields = list(inspect.signature(model_class).parameters)
    for key in settings:
        if key not in fields:
            raise unknown(f"field of {model_class.__name__}", key, fields, "besides, tokens is one")
    document |= settings
    module = build(model.target, lambda: model_class.from_config(dict(document)), real)
    source = f"diffusers {diffusers.__version__}, {model_class.__name__}"
    return Built(module, source, own_inputs=own_inputs(model.target, module, tokens))


def _class(diffusers: Any, target: str, document: dict[str, Any]) -> Any:
    """The class of models that the configuration names."""
    name = document.get("_class_name")
    model_class = getattr(diffusers, str(name), None)
    if not inspect.isclass(model_class) or not issubclass(model_class, diffusers.ModelMixin):
        hint = (
            "; write the config.json of one of its parts, such as unet/config.json" if "scheduler" in document else ""
        )
        raise UsageError(f"{target}: diffusers {diffusers.__version__} has no model {name}{hint}")
    return model_class
