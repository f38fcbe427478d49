"""Builds the report of a trace: the cost of each call, the parameters it uses first, its depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from archcalc.count.checkpoints import checkpoint_notes
from archcalc.count.consistent import check_consistent
from archcalc.count.cost import cost, parsed
from archcalc.count.rf import Field, receptive_fields
from archcalc.ops import definition
from archcalc.values.report import Cost, Report, Row, Source
from archcalc.values.trace import Op, Shape, TensorSpec, Trace, backward_unknown, item_bytes


def build_report(trace: Trace, source: str = "") -> Report:
    """The report of a trace: one row a call, in forward order; UsageError if the trace contradicts itself."""
    check_consistent(trace)
    calls = [parsed(op) for op in trace.ops]
    costs = [cost(op, call) for op, call in zip(trace.ops, calls, strict=True)]
    depths = _depths(trace, [known for known, _ in costs])
    unused = {parameter.name: parameter for parameter in trace.params}
    rows = []
    fields = _field_columns(receptive_fields(trace, calls))
    for op, path, depth, columns, (known, unknown) in zip(trace.ops, _paths(trace), depths, fields, costs, strict=True):
        activations = [spec for spec in op.inputs if spec.param is None]
        first_used = [unused.pop(spec.param) for spec in op.inputs if spec.param in unused]
        module, run = op.modules[-1]
        rows.append(
            Row(
                path=path,
                kind=op.kind,
                module=module,
                call=run,
                window=known.window,
                input_shapes=tuple(spec.shape for spec in activations),
                output_shapes=tuple(spec.shape for spec in op.outputs),
                dtype=op.outputs[0].dtype,
                params=sum(parameter.numel for parameter in first_used),
                macs=None if unknown else known.macs,
                activations=None if unknown else known.activations,
                least_macs=known.macs,
                depth=depth,
                unknown=unknown,
                free=known.free,
                products=known.products,
                parameters=tuple(first_used),
                inputs_from=_sources(activations),
                **columns,
                **_bytes_moved(op),
                **(_backward_columns(op, known, unknown) if trace.autograd else {}),
            )
        )
    uncounted = [row.kind for row in rows if trace.autograd and row.backward_macs is None and row.macs is not None]
    inputs = tuple(spec.shape for spec in trace.inputs)
    outputs = tuple(spec.shape for spec in trace.outputs)
    of_rows = [shape for row in rows for shape in (row.input_shape, row.output_shape) if shape is not None]
    return Report(
        subject=trace.subject,
        source=source,
        rows=tuple(rows),
        input_shapes=inputs,
        output_shapes=outputs,
        training=trace.training,
        batch_size=trace.batch_size if _all_begin_with(trace.batch_size, (*inputs, *outputs, *of_rows)) else None,
        depth=max((depths[spec.producer] for spec in trace.outputs if spec.producer is not None), default=0),
        uncalled={} if trace.failure else {name: parameter.numel for name, parameter in unused.items()},
        modules=trace.modules,
        notes=(
            *trace.notes,
            *backward_unknown(dict.fromkeys(uncounted)),
            *checkpoint_notes(trace),
        ),
        failure=trace.failure,
        outputs_from=_sources(trace.outputs),
    )


def _sources(specs: Iterable[TensorSpec]) -> tuple[Source, ...]:
    """Where tensors come from; there is one row a call, so calls and rows have the same numbers."""
    return tuple([Source(spec.origin, spec.producer, spec.output, spec.name) for spec in specs])


def _field_columns(fields: list[Field]) -> list[dict[str, Any]]:
    """Each field as the columns of a row, computed once for calls that share one field object."""
    known = {id(field): field for field in fields}
    columns = {key: _columns_of(field) for key, field in known.items()}
    return [columns[id(field)] for field in fields]


def _columns_of(field: Field) -> dict[str, Any]:
    if not field:
        return {}
    if any(axis.whole for axis in field):
        return {"receptive_field": "all"}
    columns: dict[str, Any] = {"receptive_field": tuple(axis.size for axis in field)}
    if not any(axis.merged for axis in field):
        jumps = (axis.jump for axis in field)
        columns["jump"] = tuple(jump.numerator if jump.denominator == 1 else jump for jump in jumps)
        columns["rf_offset"] = tuple(axis.lo[0] for axis in field)
    return columns | {"misaligned": any(axis.misaligned for axis in field)}


def _bytes_moved(op: Op) -> dict[str, Any]:
    """Bytes read and written; a view moves none."""
    if op.aten and all("view" in aten.tags for aten in op.aten):
        return {}
    read, read_floats = _sizes(op.inputs)
    written, written_floats = _sizes(op.outputs)
    return {
        "read_bytes": read,
        "written_bytes": written,
        "read_floats": read_floats,
        "written_floats": written_floats,
    }


def _sizes(specs: Iterable[TensorSpec]) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Bytes of tensors, and how many floating-point elements they have of each dtype."""
    nbytes = 0
    floats: dict[str, int] = {}
    for spec in specs:
        elements = spec.numel
        nbytes += elements * item_bytes(spec.dtype)
        if "float" in spec.dtype:
            floats[spec.dtype] = floats.get(spec.dtype, 0) + elements
    return nbytes, tuple(floats.items())


def _backward_columns(op: Op, known: Cost, unknown: tuple[str, ...]) -> dict[str, Any]:
    """The backward pass of a call, as far as its products ran as ops that torch counts."""
    counted = sum(aten.flops or 0 for aten in op.aten) // 2 == known.macs
    recomputed = sum(aten.recomputations * (aten.flops or 0) for aten in op.aten) // 2
    macs = sum(aten.backward for aten in op.aten) // 2 + recomputed
    return {
        "backward_macs": macs if counted and known.backward and not unknown else None,
        "saved_bytes": sum(size for _, size in op.saved),
        "recomputed_macs": recomputed,
    }


def _all_begin_with(batch_size: int | None, shapes: tuple[Shape, ...]) -> bool:
    return batch_size is not None and all(shape and shape[0] == batch_size for shape in shapes)


def _paths(trace: Trace) -> list[str]:
    """A name for each call: its module's path, and the kind where that module makes several calls or holds others."""
    holders = {""}
    runs = Counter([op.modules[-1] for op in trace.ops])
    for path in {path for path, _ in runs}:
        holders.update(path[:index] for index, letter in enumerate(path) if letter == ".")
    several = {path for (path, _), calls in runs.items() if calls > 1}
    named = holders | several
    taken: Counter[tuple[str, int, str]] = Counter()
    names = []
    for op in trace.ops:
        path, run = op.modules[-1]
        if path not in named:
            names.append(path)
            continue
        taken[path, run, op.kind] += 1
        nth = taken[path, run, op.kind]
        kind = op.kind.replace(".", "::")  # a dot would look like a module
        name = f"{path}.{kind}".lstrip(".") + (f"_{nth}" if nth > 1 else "")
        while name in trace.modules:  # a module may be called what the call is called
            name += "_"
        names.append(name)
    return names


def _depths(trace: Trace, costs: list[Cost]) -> list[int]:
    """For each call the number of weight layers on the longest path from the input to its output.

    A weight layer is a call with multiply-adds of which one operand comes from parameters alone.
    """
    depths: list[int] = []
    of_weights: list[bool] = []
    for op, known in zip(trace.ops, costs, strict=True):
        producers = [spec.producer for spec in op.inputs if spec.producer is not None]
        weights = [
            spec.param is not None or (spec.producer is not None and of_weights[spec.producer]) for spec in op.inputs
        ]
        of_weights.append(bool(weights) and all(weights))
        is_layer = known.macs > 0 and any(weights) and not all(weights)
        layers = definition(op.kind).weight_layers if is_layer else 0
        depths.append(max((depths[producer] for producer in producers), default=0) + layers)
    return depths
