"""What a file of each format holds of a drawing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from archcalc.charts import convert
from archcalc.pictures.choices import Colour, FileFormat
from archcalc.pictures.dot import dot
from archcalc.pictures.measures import measure
from archcalc.pictures.mermaid import mermaid
from archcalc.pictures.model_explorer import graph_collection, node_data

if TYPE_CHECKING:
    from archcalc.pictures.drawing import Drawing


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


def require() -> None:
    """Raise UsageError, saying how to get it, where the package that makes PNG and PDF is not installed."""
    _vl_convert()


def _vl_convert() -> Any:
    return convert.vl_convert(
        "PNG and PDF are made by vl-convert: pip install 'archcalc[pictures]'; -f svg needs nothing"
    )


def _rastered(text: str, form: FileFormat) -> bytes:
    vl_convert = _vl_convert()
    if form == FileFormat.pdf:
        return bytes(vl_convert.svg_to_pdf(text))
    return bytes(vl_convert.svg_to_png(text, scale=convert.SCALE))
