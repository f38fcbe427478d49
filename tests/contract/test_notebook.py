"""The notebook among the examples runs to the output that it is committed with, and shows something everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOK = EXAMPLES / "archcalc.ipynb"
COMPARED = ("text/plain", "text/html", "image/svg+xml")
"""Outputs that are text; the pixels of a PNG depend on the fonts of the machine."""

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed; pip install 'archcalc[notebook]'")


def committed() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def outputs(notebook: Any) -> list[tuple[str, dict[str, Any]]]:
    """Each output's cell and what it holds, by media type; what a cell printed counts as text."""
    return [
        (cell.id, dict(output["data"]) if "data" in output else {"text/plain": output.get("text", str(output))})
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def texts(notebook: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(cell, {kind: data[kind] for kind in COMPARED if kind in data}) for cell, data in outputs(notebook)]


def test_the_notebook_runs_again_to_the_output_that_it_is_committed_with(request: pytest.FixtureRequest) -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed; pip install 'archcalc[notebook]'")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed; pip install 'archcalc[notebook]'")
    pytest.importorskip("vl_convert", reason="vl-convert is not installed; pip install 'archcalc[pictures]'")
    notebook = committed()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = nbclient.NotebookClient(
        notebook, timeout=120, record_timing=False, resources={"metadata": {"path": str(EXAMPLES)}}
    )
    client.execute()
    notebook.metadata.language_info = {"name": "python"}
    if request.config.getoption("--golden-update"):
        nbformat.write(notebook, NOTEBOOK)
    assert texts(notebook) == texts(committed())


def test_every_cell_shows_something_that_github_shows() -> None:
    shown = dict(outputs(committed()))
    assert list(shown) == [cell.id for cell in committed().cells if cell.cell_type == "code"]
    assert all("text/plain" in data for data in shown.values())
    assert {"image/svg+xml"} <= set(shown["drawing"])
    assert {"image/png"} <= set(shown["chart"])
    for cell in ("model", "compared", "budget", "verdicts"):
        assert "<table" in shown[cell]["text/html"]
        assert "(" not in shown[cell]["text/plain"].partition("\n")[0], "the repr of a value is no table"
    assert NOTEBOOK.stat().st_size < 200_000
