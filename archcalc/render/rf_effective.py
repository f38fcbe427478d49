"""rf: the effective receptive field of a unit beside the theoretical one, in numbers and as a picture."""

from __future__ import annotations

from math import sqrt

from archcalc.formats.units import plural
from archcalc.render.gradients import between
from archcalc.render.table import NETWORK
from archcalc.values.columns import COLUMNS
from archcalc.values.document import Document, Heading, Remark, Table
from archcalc.values.effective_field import EffectiveField

SHADES = ".:-=+*#%@"
"""From nothing to the most, by the root of a cell's share of the squared gradient."""

PATH = COLUMNS["path"].heading()
AXIS = Heading("axis", "axis", "text")
_COUNTS = tuple(
    Heading(key, title, "count")
    for key, title in (("position", "unit"), ("first", "first"), ("last", "last"), ("size", "receptive field"))
)
_MEASURED = (
    *(Heading(f"width{end}", f"effective{end}", "power") for end in ("", "_low", "_high")),
    Heading("centre", "centre", "power"),
)


def effective_field(field: EffectiveField, sketch: bool = True) -> Document:
    """A row an axis, and with `sketch` the squared gradient over the input in shades."""
    headings = (AXIS, *_COUNTS, _MEASURED[0], Heading("range", "range", "text"), Heading("share", "of it", "share"))
    rows = tuple(
        (
            *(axis.name, axis.position, axis.first, axis.last, axis.size, axis.width.median),
            *(between(axis.width), axis.width.median / axis.size),
        )
        for axis in field.axes
    )
    records = tuple(
        (
            *(field.subject, field.path, axis.name, axis.position, axis.first, axis.last, axis.size),
            *(axis.width.median, axis.width.low, axis.width.high, axis.centre.median),
        )
        for axis in field.axes
    )
    setting = field.setting
    table = Table(
        title=f"effective receptive field of {field.subject} {field.path}",
        source=field.kind,
        facts=(f"unit {','.join(str(axis.position) for axis in field.axes)}", plural(setting.seeds, "seed")),
        headings=headings,
        rows=rows,
        remarks=(
            Remark("effective", "four standard deviations of the squared gradient, in pixels (Luo 2016)"),
            Remark("weights", _weights(setting.init)),
        ),
        chosen=True,
    )
    tables = (table, _sketch(field)) if sketch else (table,)
    return Document(field.SCHEMA, (NETWORK, PATH, AXIS, *_COUNTS, *_MEASURED), records, tables, field.to_dict)


def _weights(init: str) -> str:
    if init == "own":
        return "as the network has them; where they are random, training changes the field, which grows in Luo 2016"
    return f"random, {init}: training changes the field, which grows in Luo 2016"


def _sketch(field: EffectiveField) -> Table:
    """The input in cells; a line stands for two rows of them, as a character is twice as high as it is wide."""
    pairs = [field.energy[number : number + 2] for number in range(0, len(field.energy), 2)]
    lines = [[sum(shares) for shares in zip(*pair, strict=True)] for pair in pairs]
    most = max(max(line) for line in lines)
    rows = ("".join(SHADES[round((len(SHADES) - 1) * sqrt(share / most))] for share in line) for line in lines)
    axes = ", ".join(f"{axis.name} 0..{axis.length - 1}" for axis in field.axes[-2:])
    return Table(
        title=f"{SHADES} from none to the most of the squared gradient, by its root",
        headings=(Heading("sketch", axes, "window"),),
        rows=tuple((row,) for row in rows),
        chosen=True,
    )
