"""What can be chosen of a picture: which way it runs, what its colours mean, how it is written."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from archcalc.values.errors import UsageError

Direction = StrEnum("Direction", ["down", "right"])
"""Where a picture runs, from the input to the output."""

Theme = StrEnum("Theme", ["light", "dark", "auto"])
"""`auto` is light or dark as the reader's system is; where a file has no such thing, as in PNG, it is light."""

Colour = StrEnum("Colour", ["kind", "params", "macs", "time", "receptive_field", "saved_bytes"])
"""What the colours of boxes mean."""


class FileFormat(StrEnum):
    """How a picture is written."""

    svg = "svg"
    png = "png"
    pdf = "pdf"
    mermaid = "mermaid"
    dot = "dot"
    model_explorer = "model-explorer"


BINARY = (FileFormat.png, FileFormat.pdf)

_SUFFIXES = {
    ".svg": FileFormat.svg,
    ".png": FileFormat.png,
    ".pdf": FileFormat.pdf,
    ".mmd": FileFormat.mermaid,
    ".dot": FileFormat.dot,
    ".gv": FileFormat.dot,
    ".json": FileFormat.model_explorer,
}


def format_of(path: Path) -> FileFormat:
    """The format that the suffix of a file's name asks for; UsageError for any other."""
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"'{path.name}' does not say which format it is: end the name in {', '.join(_SUFFIXES)}")
    return _SUFFIXES[suffix]


def beside(file: Path, name: str) -> Path:
    """The file's name with another before its suffix: net.json, net.macs.json; "" is the file itself."""
    return file.with_suffix(f".{name}{file.suffix}") if name else file
