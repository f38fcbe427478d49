"""JSON schemas of everything that archcalc writes as JSON, for docs/schema; `make golden` writes them.

A stored value gives its schema itself, by the types of its fields; what commands put together is described here, from
the list of columns. Keys that are added do not change a version, so that an object may have more than its schema says.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from archcalc.render import bench, devices, diff, explain, gradients, lock, rf, rf_unit, verify
from archcalc.render import list as listing
from archcalc.values.benchmark import Benchmark
from archcalc.values.budget import Budget, Timeline
from archcalc.values.claim import Claim, Verdict
from archcalc.values.columns import BACKWARD, COLUMNS
from archcalc.values.comparison import Comparison
from archcalc.values.conventions import Conventions
from archcalc.values.device import Device
from archcalc.values.difference import STATUSES
from archcalc.values.effective_field import EffectiveField
from archcalc.values.explanation import Step
from archcalc.values.gradients import Gradients
from archcalc.values.layer_field import LayerField, UnitField
from archcalc.values.listing import Architecture, Totals
from archcalc.values.lock import Lock
from archcalc.values.report import Report
from archcalc.values.top_k import TopKErrors
from archcalc.values.trace import Trace
from archcalc.values.training import Training

FOLDER = Path(__file__).parents[1] / "docs" / "schema"
STORED: tuple[Any, ...] = (Report, Trace, Comparison, Budget, Timeline, Conventions, Claim, Verdict, Benchmark, Lock)
STORED += (Gradients, EffectiveField, Training, TopKErrors)

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}

UNITS = {
    "bytes_per_second": "bytes a second",
    "flops_per_second": "FLOPs a second",
    "bytes": "bytes",
    "seconds": "seconds",
    "_ms": "milliseconds",
    "_percent": "percent",
    "macs": "multiply-adds",
}
"""The unit of a number, by how its key ends."""


def a(schema: Schema, description: str) -> Schema:
    """The schema with a description."""
    return {**schema, "description": description}


def optional(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: Schema) -> Schema:
    """A list of such values."""
    return {"type": "array", "items": items}


def ref(name: str) -> Schema:
    """The definition of that name in the same file."""
    return {"$ref": f"#/$defs/{name}"}


def record(properties: dict[str, Schema], may_lack: tuple[str, ...] = ()) -> Schema:
    """An object that has these keys, all but `may_lack` for certain."""
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in may_lack],
    }


TEXTS, SIZES = array(TEXT), array(WHOLE)
EXACT = {"anyOf": [WHOLE, {"type": "string", "pattern": r"^-?\d+/\d+$"}]}
VALUES = {
    "text": TEXT,
    "count": WHOLE,
    "number": NUMBER,
    "shape": SIZES,
    "window": {"anyOf": [SIZES, TEXT]},
    "step": {"anyOf": [array(EXACT), TEXT]},
    "slide": ref("Window"),
}
"""The values of a column, by its unit."""


def column(key: str, when: str = "") -> Schema:
    """The value of a column in one row; null where it is not known, or where there is no such thing."""
    own = COLUMNS[key]
    unit = _unit(key)
    return a(optional(VALUES[own.unit]), own.meaning + when + (f", in {unit}" if unit not in own.meaning else ""))


def _unit(key: str) -> str:
    return next((unit for ending, unit in UNITS.items() if key.endswith(ending)), "")


TOTALS = record({key: a(WHOLE, COLUMNS[key].meaning) for key in ("params", "macs", "flops", "activations")})
COMPLETE = a(FLAG, "whether every call was counted; if not, totals are lower bounds")
CHANGE = record({one.key: optional(TEXT if one.key == "verdict" else NUMBER) for one in bench.AGAINST})
CHANGES = record({"rule": TEXT, "differences": TEXTS, "changes": array(CHANGE)})
RUN = {"said": a({"anyOf": [WHOLE, TEXT, {"type": "null"}]}, "what it printed, or why not"), "verdict": optional(TEXT)}

DERIVED: dict[str, dict[str, Schema]] = {
    "Report": {
        "complete": COMPLETE,
        "unknown": a(TEXTS, "the calls that have no formula, as path: op"),
        "totals": TOTALS,
        "convention": TEXT,
    },
    "Row": {"flops": column("flops")},
    "Comparison": {"networks": TEXTS, "complete": COMPLETE},
    "Budget": {"inference_total": a(WHOLE, "bytes"), "training_total": a(WHOLE, "bytes")},
    "Timing": {"median_seconds": a(NUMBER, "seconds"), "iqr_seconds": a(NUMBER, "seconds")},
    "Conventions": {"network": TEXT, "macs": a(WHOLE, COLUMNS["macs"].meaning), "complete": COMPLETE},
    "Projection": {"printed": a(WHOLE, "in the tool's own unit"), "difference": NUMBER, "exact": FLAG},
    "Verdict": {"computed": TEXT, "ok": a(FLAG, "whether the verdict is the expected one")},
    "TopKError": {
        "error": a(NUMBER, "share of wrong images, 0 to 1; ties are wrong"),
        "least_error": a(NUMBER, "the same if every tie were right"),
    },
    "UnitField": {"size": WHOLE, "inside": WHOLE, "padding": WHOLE, "centre": NUMBER},
    "Device": {"ridge": a(NUMBER, "FLOPs a byte from which on arithmetic is what bounds")},
}
"""What is written of a value beside its fields."""

SOMETIMES: dict[str, dict[str, Schema]] = {
    "Benchmark": {"against": a(CHANGES, "with --against: a change for each timing")},
    "Comparison": {"benchmark": a(ref("Benchmark"), "with --bench")},
    "Projection": RUN,
}
"""What is written of a value only on occasion."""


def definitions(*classes: Any) -> dict[str, Schema]:
    """The schemas of values and of the values in them, by the names of their classes."""
    own: dict[str, Schema] = {}
    for cls in classes:
        schema = TypeAdapter(cls).json_schema()
        own |= {name.partition("_")[0]: inner for name, inner in schema.pop("$defs", {}).items()}
        own[cls.__name__] = schema
    result = {name: _described(name, schema) for name, schema in sorted(own.items())}
    if "Tree" in result:
        result["Tree"] = {"description": "Any value; what JSON has no form for is an object whose key begins with $."}
    if "Row" in result:
        chosen = record({key: column(key) for key in COLUMNS}, may_lack=tuple(COLUMNS))
        result["Columns"] = a({**chosen, "additionalProperties": False, "minProperties": 1}, "with --columns")
        result["Report"]["properties"]["rows"] = array({"anyOf": [ref("Row"), ref("Columns")]})
    if "Verdict" in result:  # it is written as one object with its claim
        verdict, claim = result["Verdict"], result["Claim"]
        verdict["properties"] = {**claim["properties"], **verdict["properties"]}
        verdict["required"] = [*claim["required"], "computed", "verdict", "ok"]
        for key in ("claim", "value"):
            del verdict["properties"][key]
    return result


def _described(name: str, schema: Schema) -> Schema:
    """A schema with the meaning and the unit of each key, and with the keys that are derived."""
    schema = _plain(schema)
    if "properties" not in schema:
        return schema
    properties: dict[str, Schema] = schema["properties"]
    for key, value in properties.items():
        meaning = COLUMNS[key].meaning if name == "Row" and key in COLUMNS else _unit(key)
        if name in ("Budget", "Step") and value == WHOLE and key != "batch_size":
            meaning = "bytes"
        if meaning:
            value["description"] = meaning
    head = {"schema": {"const": IDS[name]}} if name in IDS else {}
    schema["properties"] = {**head, **properties, **DERIVED.get(name, {}), **SOMETIMES.get(name, {})}
    if name == "Claim":  # fields that hold an empty default are not written
        schema["required"] = [*head, *schema["required"]]
    else:
        schema["required"] = [*head, *properties, *DERIVED.get(name, {})]
    schema["description"] = " ".join(schema["description"].split())
    return schema


def _plain(schema: Any, names: bool = False) -> Any:
    """Without pydantic's titles and defaults, and with references to the names that definitions have here."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if names or key not in ("title", "default", "discriminator")}
    plain = {key: _plain(value, names=key == "properties") for key, value in kept.items()}
    if isinstance(plain.get("$ref"), str):
        plain["$ref"] = "#/$defs/" + plain["$ref"].rpartition("/")[2].partition("_")[0]
    return plain


IDS: dict[str, str] = {cls.__name__: cls.SCHEMA for cls in STORED}


def _of_commands() -> dict[str, Schema]:
    """What commands put together, by the name of its schema."""
    measures = ("params", "macs", "activations", *BACKWARD)
    sides = {"before": WHOLE, "after": WHOLE, "change": WHOLE}
    layer: dict[str, Schema] = {"status": {"enum": [*STATUSES]}}
    for key in diff.SIDES:
        layer |= {f"{key}_{side}": column(key, f", {side}") for side in ("before", "after")}
    for key in measures:
        layer |= {f"{key}_{side}": column(key, f", {side}") for side in sides}
    layer |= {"reason": TEXT, "layers": WHOLE, "differing": WHOLE}
    followed = tuple(f"{key}_{side}" for key in BACKWARD for side in sides)
    total = record(
        {side: optional(value) for side, value in sides.items()} | {"least_before": WHOLE, "least_after": WHOLE}
    )
    error = record({"protocol": TEXT, "top1_percent": optional(NUMBER), "top5_percent": optional(NUMBER)})
    network = definitions(Architecture)["Architecture"]["properties"]
    del network["builder"]
    costs = definitions(Totals)["Totals"]["properties"]
    field = definitions(LayerField)["LayerField"]["properties"]
    del field["unit"]
    seen = ("window", "output_shape", "receptive_field", "jump", "rf_offset")
    return {
        diff.SCHEMA: {
            "networks": TEXTS,
            "equal": FLAG,
            "complete": COMPLETE,
            "summary": TEXT,
            "totals": record({key: a(total, COLUMNS[key].meaning) for key in measures}, may_lack=BACKWARD),
            "notes": TEXTS,
            "folded": a(optional(WHOLE), "the depth that the layers are folded to"),
            "layers": array(record(layer, may_lack=followed)),
        },
        listing.SCHEMA: {
            "networks": array(
                record({**network, "errors": array(error), **costs, "error": TEXT}, may_lack=(*costs, "error"))
            )
        },
        rf.SCHEMA: {
            "network": TEXT,
            "input_shapes": array(SIZES),
            "rows": array(
                record(
                    {key: column(key) for key in ("path", "kind", *seen)} | {"exceeds_input": FLAG, "misaligned": FLAG}
                )
            ),
        },
        rf_unit.SCHEMA: {
            "network": TEXT,
            "path": TEXT,
            "unit": SIZES,
            "misaligned": FLAG,
            "axes": array(definitions(UnitField)["UnitField"]),
        },
        rf_unit.LAYER_SCHEMA: field,
        explain.SCHEMA: {"network": TEXT, "steps": array(definitions(Step)["Step"]), "claims": array(ref("Verdict"))},
        verify.SCHEMA: {"ok": FLAG, "claims": array(ref("Verdict"))},
        lock.SCHEMA: {
            "locks": array(record({one.key: WHOLE if one.unit == "count" else TEXT for one in lock.HEADINGS}))
        },
        gradients.SCHEMA: {"networks": array(ref("Gradients"))},
        devices.SCHEMA: {"devices": array(definitions(Device)["Device"])},
    }


def _whole(name: str, schema: Schema, inner: dict[str, Schema]) -> Schema:
    """A file's schema, with the definitions that it needs, and those that they need."""
    used: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        for one in re.findall(r'"#/\$defs/(\w+)"', json.dumps(waiting.pop())):
            if one not in used:
                used[one] = inner[one]
                waiting.append(inner[one])
    needed = {"$defs": dict(sorted(used.items()))} if used else {}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **schema, **needed}


def schemas() -> dict[str, Schema]:
    """Every schema, by the name of its document, such as "archcalc.report/1"."""
    result = {}
    for cls in STORED:
        more = {Comparison: (Benchmark,), Verdict: (Claim,)}.get(cls, ())
        result[cls.SCHEMA] = _whole(cls.SCHEMA, ref(cls.__name__), definitions(*more, cls))
    inner = {"Window": definitions(Report)["Window"], "Verdict": definitions(Claim, Verdict)["Verdict"]}
    inner |= definitions(Gradients)
    inner["Tree"] = definitions(Claim)["Tree"]
    for name, properties in _of_commands().items():
        result[name] = _whole(name, record({"schema": {"const": name}, **properties}), inner)
    return result


def file_of(name: str) -> Path:
    """The file of a schema: docs/schema/report.json for "archcalc.report/1"."""
    return FOLDER / f"{name.removeprefix('archcalc.').partition('/')[0]}.json"


def text_of(schema: Schema) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
