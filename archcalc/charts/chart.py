"""The value that `archcalc.plot` gives: a specification that shows and saves itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archcalc.charts import convert
from archcalc.values.errors import UsageError, unknown
from archcalc.values.files import save_file

MIME = "application/vnd.vegalite.v5+json"


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart as a Vega-Lite specification.

    `kind` is what `archcalc.plot` was asked for. `spec` is JSON-ready: the data, in which each mark's values stand
    under the keys of the columns, and how it is drawn. `str()` says in a sentence what the chart shows.
    """

    kind: str
    spec: dict[str, Any] = field(hash=False, repr=False)

    def svg(self) -> str:
        """The chart as SVG; UsageError where vl-convert is not installed."""
        return convert.svg(self.spec)

    def png(self) -> bytes:
        """The chart as PNG; UsageError where vl-convert is not installed."""
        return convert.png(self.spec)

    def render(self, form: str) -> str | bytes:
        """The chart as "svg", "png", "pdf", "html" or "json"; UsageError for another, or without vl-convert."""
        if form not in convert.FORMATS:
            raise unknown("format of charts", form, convert.FORMATS)
        return convert.FORMATS[form](self.spec)

    def save(self, path: str | Path) -> None:
        """Write the chart to a file, in the format that its ending names: .svg, .png, .pdf, .html or .json.

        Raises UsageError for another ending, without vl-convert, or where the file cannot be written.
        """
        path = Path(path)
        content = self.render(format_of(path))
        save_file(path, content.encode() if isinstance(content, str) else content)

    def __str__(self) -> str:
        description: str = self.spec["description"]
        return description

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """For notebooks: the specification, which JupyterLab draws, and an image for GitHub and other viewers.

        Without vl-convert there is no image, and the text says how to get it.
        """
        if convert.available():
            return {"text/plain": str(self), MIME: self.spec, "image/png": self.png()}
        return {
            "text/plain": f"{self}\nA picture of it needs an extra: pip install 'archcalc[pictures]'",
            MIME: self.spec,
        }


def format_of(path: Path) -> str:
    """The format that a file's ending names; UsageError for an ending that names none."""
    form = path.suffix.lower().removeprefix(".")
    if form not in convert.FORMATS:
        endings = ", ".join(f".{name}" for name in convert.FORMATS)
        raise UsageError(f"'{path.name}' does not say which format it is: end the name in one of {endings}")
    return form
