"""A network as the JSON graph that Google's Model Explorer loads, and measures as the node data that it lays over it.

The formats are those of Model Explorer's "custom JSON" of graph collections and of custom node data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.formats.safe import one_line
from archcalc.pictures.labels import label, shape_text
from archcalc.pictures.measures import Measure
from archcalc.values.report import Report, Row, Source


def graph_collection(report: Report) -> dict[str, Any]:
    """Every call as a node in the namespace of its module; Model Explorer folds and opens modules itself."""
    name = one_line(report.subject)
    inputs = [
        {
            "id": f"input-{at}",
            "label": "input",
            "namespace": "",
            "outputsMetadata": [_metadata(0, shape_text(report, shape))],
        }
        for at, shape in enumerate(report.input_shapes)
    ]
    nodes = [_node(report, number, row) for number, row in enumerate(report.rows)]
    outputs = [
        {"id": f"output-{at}", "label": "output", "namespace": "", "incomingEdges": _edges((source,))}
        for at, source in enumerate(report.outputs_from)
    ]
    return {"label": name, "graphs": [{"id": name, "nodes": [*inputs, *nodes, *outputs]}]}


def node_data(report: Report, measures: Mapping[str, Measure]) -> dict[str, dict[str, Any]]:
    """For each measure the document to be loaded as custom node data; calls without a value are left out.

    Sums and means of a measure that does not add up are hidden.
    """
    return {
        key: {
            one_line(report.subject): {
                "name": measure.title,
                "results": {str(at): {"value": value} for at, value in enumerate(measure.values) if value is not None},
                "gradient": [{"stop": 0, "bgColor": "#fffaf2"}, {"stop": 1, "bgColor": "#f69e52"}],
                **(
                    {} if measure.adds_up else {"hideAggregatedStats": ["sum", "avg"], "hideInChildrenStatsTable": True}
                ),
            }
        }
        for key, measure in measures.items()
    }


def _node(report: Report, number: int, row: Row) -> dict[str, Any]:
    parts = [one_line(part).replace("/", "_") for part in row.path.split(".")]
    values = {
        "path": row.path,
        "kind": row.kind,
        "params": f"{row.params:,}",
        "mult-adds": "unknown" if row.macs is None else f"{row.macs:,}",
    }
    return {
        "id": str(number),
        "label": label(row, None).text,
        "namespace": "/".join(parts[:-1]),
        "attrs": [{"key": key, "value": one_line(value)} for key, value in values.items()],
        "incomingEdges": _edges(row.inputs_from),
        "outputsMetadata": [_metadata(at, shape_text(report, shape)) for at, shape in enumerate(row.output_shapes)],
    }


def _metadata(output: int, shape: str) -> dict[str, Any]:
    return {"id": str(output), "attrs": [{"key": "shape", "value": shape}]}


def _edges(sources: tuple[Source, ...]) -> list[dict[str, str]]:
    edges = []
    for at, source in enumerate(sources):
        if source.row is not None:
            edges.append((str(source.row), str(source.output), at))
        elif source.origin == "input":
            edges.append((f"input-{source.output}", "0", at))
    return [
        {"sourceNodeId": node, "sourceNodeOutputId": output, "targetNodeInputId": str(at)} for node, output, at in edges
    ]
