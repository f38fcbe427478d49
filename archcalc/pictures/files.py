"""A drawing as a file: which formats there are, and which one a file's name asks for."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from archcalc.pictures.dot import dot
from archcalc.pictures.measures import Colour, measure
from archcalc.pictures.mermaid import mermaid
from archcalc.pictures.model_explorer import graph_collection, node_data
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from archcalc.pictures.drawing import Drawing



class FileFormat(StrEnum):
    """How a drawing is written."""

    svg = "svg"
    png = "png"
    pdf = "pdf"
    mermaid = "mermaid"
    dot = "dot"
    model_explorer = "model-explorer"


_SUFFIXES = {
    ".svg": FileFormat.svg,
    ".png": FileFormat.png,
    ".pdf": FileFormat.pdf,
    ".mmd": FileFormat.mermaid,
    ".dot": FileFormat.dot,
    ".gv": FileFormat.dot,
    ".json": FileFormat.model_explorer,
}

SCALE = 2.0
"""Pixels of a PNG for each pixel of the drawing."""

BINARY = (FileFormat.png, FileFormat.pdf)


def format_of(path: Path) -> FileFormat:
    """The format that the suffix of a file's name asks for; UsageError for any other."""
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"'{path.name}' does not say what to write: end it in {', '.join(_SUFFIXES)}, or give -f")
    return _SUFFIXES[suffix]


def contents(drawing: Drawing, form: FileFormat) -> dict[str, bytes]:
    """What is to be written, by what is put before the suffix of the file's name: "" for the file itself.

    Model Explorer loads its node data from files of their own, "params", "macs" and so on. Raises UsageError for PNG
    and PDF where the package that makes them is not installed.
    """
    if form != FileFormat.model_explorer:
        return {"": _content(drawing, form)}
    report = drawing.outline.report
    measures = {colour: measure(report, colour) for colour in (Colour.params, Colour.macs, Colour.receptive_field)}
    if drawing.style.measure is not None:
        measures[drawing.style.measure.colour] = drawing.style.measure
    documents = node_data(report, {key: value for key, value in measures.items() if value is not None})
    return {name: _json(document) for name, document in {"": graph_collection(report), **documents}.items()}


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _content(drawing: Drawing, form: FileFormat) -> bytes:
    if form == FileFormat.svg:
        return drawing.svg().encode()
    if form == FileFormat.mermaid:
        return mermaid(drawing.graph, drawing.direction).encode()
    if form == FileFormat.dot:
        return dot(drawing.graph, drawing.direction).encode()
    return _rastered(drawing.svg(), form)


def _rastered(text: str, form: FileFormat) -> bytes:
    try:
        import vl_convert
    except ImportError as error:
        raise UsageError(f"{form.upper()} needs one package more: pip install 'archcalc[pictures]'") from error
    if form == FileFormat.pdf:
        return bytes(vl_convert.svg_to_pdf(text))
    return bytes(vl_convert.svg_to_png(text, scale=SCALE))
