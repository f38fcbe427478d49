"""The text that names a model, `LABEL=TARGET?key=value&key=value`, taken apart and checked without importing torch."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archcalc.sources import libraries
from archcalc.values.errors import UsageError, unknown
from archcalc.values.listing import Architecture
from archcalc.zoo import registry

_FILES = (".pt", ".pth", ".ckpt", ".bin", ".safetensors", ".onnx", ".pkl", ".h5", ".json", ".toml", ".yaml", ".ipynb")
"""How files end that are no model, so that their names are not taken for a name in a package."""


@dataclass(frozen=True, slots=True)
class Named:
    """A model as somebody named it: what tables call it, what to build, and the settings that its text holds."""

    name: str
    target: str
    settings: dict[str, Any] = field(default_factory=dict)
    has_label: bool = False

    @property
    def kind(self) -> str:
        """Where the target leads: `zoo`, the name of a library's prefix, `exported`, `saved`, `file` or `attribute`."""
        prefix, slash, rest = self.target.partition("/")
        if slash and prefix in libraries.LIBRARIES and not _is_python(rest):
            return prefix
        if self.target.endswith(".pt2"):
            return "exported"
        if self.target.endswith(".json"):
            return "saved"
        if self.target.endswith(".py"):
            return "file"
        return "attribute" if ":" in self.target else "zoo"

    @property
    def library_name(self) -> str:
        """What stands behind a library's prefix."""
        return self.target.partition("/")[2]


def named(text: str) -> Named:
    """The label, target and settings in a text such as `Ours=net.py:Net?width=32`; UsageError if it has no target.

    Without a label a model is called what its text says. The path of a file that exists may have a `=` in it.
    """
    label: str | None
    whole, _, query = text.partition("?")
    label, equals, target = whole.partition("=")
    if not equals or _is_path(whole):
        label, target = None, whole
    if not target or label == "":
        raise UsageError(f"'{text}' names no model; write MODEL, MODEL?key=value or LABEL=MODEL")
    if label in registry.catalogue():
        raise UsageError(f"the label {label} is the name of a network of the zoo; choose another")
    settings = dict(map(setting, query.split("&"))) if query else {}
    return Named(text if label is None else label, target, settings, label is not None)


def _is_path(text: str) -> bool:
    """Whether all of it is a file, or a Python file and a name in it."""
    place, _, name = text.rpartition(":")
    try:
        return Path(place if re.fullmatch(r"\w+(\.\w+)*", name) and place.endswith(".py") else text).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it
        return False


def _is_python(text: str) -> bool:
    return text.endswith(".py") or ".py:" in text


def setting(pair: str) -> tuple[str, Any]:
    """`width=32` as ("width", 32): the value is a Python literal, or else the text as it is."""
    key, equals, value = pair.partition("=")
    if not equals or not key.isidentifier():
        raise UsageError(f"'{pair}' is no setting; write name=value, such as num_classes=10")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return key, value


def check(model: Named, settings: dict[str, Any]) -> None:
    """Raise UsageError for what is wrong with a model's text or settings, as far as that shows without importing it."""
    if model.kind == "zoo":
        registry.check_settings(zoo_entry(model.target), settings)
    elif model.kind in libraries.LIBRARIES:
        libraries.require(model.kind)
        if not model.library_name:
            raise UsageError(f"{model.target} names no model; write {libraries.LIBRARIES[model.kind].example}")
    elif model.kind == "exported" and not Path(model.target).exists():
        raise UsageError(f"there is no file {model.target}; torch.export.save writes one")


def zoo_entry(target: str) -> Architecture:
    """The zoo's entry of that name; UsageError that says how to write what was probably meant."""
    entry = registry.find(target)
    if entry is None:
        raise _no_model(target)
    return entry


def _no_model(target: str) -> UsageError:
    library, _, rest = target.partition(".")
    name = rest.rpartition(".")[2]
    if name and library in ("timm", "torchvision"):
        return UsageError(f"there is no network {target} in the zoo: write {library}/{name}")
    if Path(target).is_file() or Path(target).suffix in _FILES or "/" in target:
        return _no_source(target)
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", target):
        module, _, attribute = target.rpartition(".")
        return UsageError(
            f"there is no network {target} in the zoo: a name in a package is written {module}:{attribute}"
        )
    installed = [f"{prefix}/{target}" for prefix in libraries.with_names() if target in libraries.names(prefix)]
    if installed:
        return UsageError(f"there is no network {target} in the zoo; it is installed as {' and as '.join(installed)}")
    return unknown("network", target, registry.names(), "`archcalc list` shows all of them")


def _no_source(target: str) -> UsageError:
    """A file that holds no model, or a prefix that is none."""
    if Path(target).is_file() or Path(target).suffix:
        what = f"{target} is no model" if Path(target).exists() else f"there is no file {target}"
        return UsageError(f"{what}; a model is path/to/net.py:Net or a file that torch.export.save wrote, model.pt2")
    return UsageError(f"unknown source '{target.partition('/')[0]}/': there are {listed_prefixes()}")


def listed_prefixes() -> str:
    """The prefixes of libraries, as a sentence lists them."""
    *others, last = (f"{prefix}/" for prefix in libraries.LIBRARIES)
    return f"{', '.join(others)} and {last}"
