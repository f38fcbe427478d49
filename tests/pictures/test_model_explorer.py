"""The files for Model Explorer are what its released package reads: no key is unknown to it, none is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import archcalc

HOW = "Model Explorer is not installed; pip install ai-edge-model-explorer"


def read(kind: str, document: Any) -> Any:
    """The document as a value of Model Explorer's class, which raises for a key or type that it does not know."""
    module = "node_data_builder" if kind == "GraphNodeData" else "graph_builder"
    classes = pytest.importorskip(f"model_explorer.{module}", reason=HOW)
    dacite = pytest.importorskip("dacite", reason=HOW)
    return dacite.from_dict(getattr(classes, kind), document, dacite.Config(strict=True, cast=[float]))


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "lenet5"])
def test_the_released_classes_read_the_graph_and_the_data_of_its_nodes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    archcalc.draw(name).save(file)
    collection = read("GraphCollection", json.loads(file.read_text()))
    (graph,) = collection.graphs
    nodes = {node.id for node in graph.nodes}
    assert {edge.sourceNodeId for node in graph.nodes for edge in node.incomingEdges} <= nodes
    for measure in ("params", "macs", "receptive_field"):
        (data,) = json.loads((tmp_path / f"net.{measure}.json").read_text()).items()
        assert data[0] == graph.id
        assert read("GraphNodeData", data[1]).results.keys() <= nodes


def test_model_explorer_adds_up_costs_and_no_receptive_fields(tmp_path: Path) -> None:
    archcalc.draw("lenet5-modern").save(tmp_path / "net.json")
    for name, hidden in (("params", None), ("macs", None), ("receptive_field", ["sum", "avg"])):
        (data,) = json.loads((tmp_path / f"net.{name}.json").read_text()).values()
        assert data.get("hideAggregatedStats") == hidden
        assert data.get("hideInChildrenStatsTable", False) == (hidden is not None)
