"""`hf/NAME` and `hf/path/to/config.json`: a model of the library transformers, built from its configuration alone."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from archcalc.sources.hub import config_of
from archcalc.sources.named import Named
from archcalc.sources.subject import Built, build, imported
from archcalc.sources.transformers_inputs import own_inputs
from archcalc.values.errors import ModelError, UsageError, error_text, unknown

_LEFT_OUT = ("auto_map", "quantization_config", "attn_implementation", "_attn_implementation", "_name_or_path")
"""Keys that would make transformers look for code or weights elsewhere."""


def load(model: Named, settings: dict[str, Any], real: bool) -> Built:
    """The class that the configuration names first under `architectures`; settings replace fields of it.

    `tokens`, which is no field, is the length of the text that goes in.
    """
    settings = dict(settings)
    tokens = settings.pop("tokens", None)
    document = config_of(model)
    quantized = "quantization_config" in document
    document = {key: value for key, value in document.items() if key not in _LEFT_OUT}
    transformers = imported("transformers", model.target)
    config = _config(transformers, model.target, document, settings)
    model_class = _class(transformers, model.target, config)
    module = build(model.target, lambda: model_class._from_config(deepcopy(config)), real)
    source = f"transformers {transformers.__version__}, {type(module).__name__}{', not quantized' * quantized}"
    return Built(module, source, own_inputs=own_inputs(model.target, module, config, tokens))


def _config(transformers: Any, target: str, document: dict[str, Any], settings: dict[str, Any]) -> Any:
    """The configuration object with the settings in the place of the document's values."""
    kind = document.get("model_type")
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        if "_class_name" in document:
            raise UsageError(f"{target} is a configuration of diffusers: write diffusers/ for hf/")
        raise UsageError(
            f"{target}: transformers {transformers.__version__} has no model type {kind!r}; code that a model brings "
            "with it is not run"
        )
    config_class = transformers.CONFIG_MAPPING[kind]
    try:
        fields = config_class.from_dict(dict(document)).to_dict()
        aliases = config_class.attribute_map
        for key in settings:
            if key not in fields and key not in aliases and key not in document:
                raise unknown(f"field of {config_class.__name__}", key, [*fields, *aliases], "besides, tokens is one")
        changed = {aliases.get(key, key): value for key, value in settings.items()}
        return config_class.from_dict({**document, **changed})
    except UsageError:
        raise
    except Exception as error:
        raise ModelError(f"{target}: {config_class.__name__} refuses the configuration: {error_text(error)}") from error


def _class(transformers: Any, target: str, config: Any) -> Any:
    """The class of models that the configuration names, or the bare model of its type."""
    named = config.architectures or ()
    name = next(iter(named), None) if isinstance(named, (list, tuple)) else named
    if name is None:
        return transformers.AutoModel._model_mapping[type(config)]
    model_class = getattr(transformers, str(name), None)
    if not isinstance(model_class, type) or not issubclass(model_class, transformers.PreTrainedModel):
        hint = "choose one by the setting architectures=NAME"
        raise UsageError(f"{target}: transformers {transformers.__version__} has no class {name}; {hint}")
    return model_class
