"""Libraries whose models can be named: whether they are installed, and their names, read without running them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from archcalc.values.errors import UsageError


@dataclass(frozen=True, slots=True)
class Library:
    """A library of models: the package, and how a model of it is named."""

    package: str
    example: str
    has_names: bool = False


LIBRARIES = {
    "timm": Library("timm", "timm/resnet50", has_names=True),
    "torchvision": Library("torchvision", "torchvision/resnet50", has_names=True),
    "hf": Library("transformers", "hf/path/to/config.json"),
    "diffusers": Library("diffusers", "diffusers/path/to/config.json"),
}
"""By the prefix of their names."""

_REGISTERED = re.compile(
    r"^@register_model\b(?:\((?:name=\"(?P<name>\w+)\")?\))?.*?^def (?P<function>\w+)\(", re.M | re.S
)


def require(prefix: str) -> None:
    """Raise UsageError with the pip command where the library is not installed."""
    package = LIBRARIES[prefix].package
    if _place(package) is None:
        raise UsageError(f"{prefix}/ needs {package}, which is not installed: pip install {package}")


def with_names() -> list[str]:
    """The prefixes of the installed libraries that register their models by name."""
    return [prefix for prefix, library in LIBRARIES.items() if library.has_names and _place(library.package)]


def names(prefix: str) -> list[str]:
    """The names that an installed library registers, in alphabetical order; none where it is not installed."""
    library = LIBRARIES[prefix]
    place = _place(library.package) if library.has_names else None
    return [] if place is None else list(_registered(place / "models"))


@cache
def _registered(folder: Path) -> tuple[str, ...]:
    """The names behind `@register_model` in the Python files of a folder."""
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in folder.rglob("*.py"))
    matches = (match for text in texts if "@register_model" in text for match in _REGISTERED.finditer(text))
    return tuple(sorted({match["name"] or match["function"] for match in matches}))


def _place(package: str) -> Path | None:
    """The folder of an installed package, which is not imported."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # ValueError: something of that name in sys.modules has no spec
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
