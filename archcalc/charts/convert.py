"""Vega-Lite specifications as SVG, PNG, PDF and HTML, by vl-convert, which the extra `archcalc[pictures]` brings."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from archcalc.values.errors import UsageError

Spec = dict[str, Any]

VERSION = "5.21"
"""The version of Vega-Lite that specifications are written for; notebooks and GitHub show version 5."""

SCALE = 2.0
"""Pixels of a PNG for one of the specification: sharp on a dense screen and in print."""

_SHOW = """\
const spec = JSON.parse(document.getElementById("spec").textContent);
vegaEmbed("#chart", spec, {ast: true, actions: false, renderer: "svg"});
"""

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ margin: 16px; background: {background}; }}</style>
</head>
<body>
<main id="chart" role="img" aria-label="{description}"></main>
<script type="application/json" id="spec">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def available() -> bool:
    """Whether vl-convert is installed."""
    return find_spec("vl_convert") is not None


def require() -> None:
    """Raise UsageError, saying how to get it, where vl-convert is not installed."""
    _vl_convert()


def vl_convert(message: str) -> Any:
    """The package vl-convert; UsageError with the message, which says how to get it, where it is not installed."""
    try:
        import vl_convert
    except ImportError:
        raise UsageError(message) from None
    return vl_convert


def _vl_convert() -> Any:
    return vl_convert(
        "pictures are made by vl-convert: pip install 'archcalc[pictures]'; "
        "-f json writes the chart as a Vega-Lite specification without it"
    )


def svg(spec: Spec) -> str:
    """The chart as SVG, the same text each time: Vega goes on counting its clip paths from one chart to the next."""
    text: str = _vl_convert().vegalite_to_svg(spec, vl_version=VERSION)
    numbers: dict[str, int] = {}

    def renumbered(match: re.Match[str]) -> str:
        return f"{match[1]}clip{numbers.setdefault(match[2], len(numbers))}"

    return re.sub(r'(<clipPath id="|clip-path="url\(#)clip(\d+)', renumbered, text) + "\n"


def png(spec: Spec) -> bytes:
    """The chart as PNG, SCALE pixels for one of the specification."""
    image: bytes = _vl_convert().vegalite_to_png(spec, vl_version=VERSION, scale=SCALE)
    return image


def pdf(spec: Spec) -> bytes:
    """The chart as a PDF of one page."""
    document: bytes = _vl_convert().vegalite_to_pdf(spec, vl_version=VERSION)
    return document


def page(spec: Spec) -> str:
    """The chart as one HTML file that needs no network; it shows a mark's values under the pointer.

    The content-security policy allows this script alone, and no request.
    """
    # The specification holds text from models. It is data beside the script, and with "<" escaped it cannot end its
    # element; within the script the bundler would undo the escape.
    data = json.dumps(spec).replace("<", "\\u003c")
    script: str = _vl_convert().javascript_bundle(_SHOW, vl_version=VERSION)
    script = script.replace("</script", "<\\/script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _PAGE.format(
        policy=f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:",
        title=html.escape(spec["title"]["text"]),
        background=spec["background"],
        description=html.escape(spec["description"]),
        data=data,
        script=script,
    )


def as_json(spec: Spec) -> str:
    """The specification itself, which needs no vl-convert."""
    return json.dumps(spec, indent=2, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Spec], str | bytes]] = {"svg": svg, "png": png, "pdf": pdf, "html": page, "json": as_json}
"""How a chart is written, by the ending of a file's name."""
