"""docs/llms.txt: what a coding agent must know to use archcalc, from the help, the docstrings and the schemas.

`make golden` writes it; a test holds it to what the help says today.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import typer.core
import typer.main
from schemas import file_of, schemas

import archcalc
from archcalc.cli import app
from archcalc.cli.options import MODEL
from archcalc.formats import FORMATS, RAW
from archcalc.values.columns import COLUMNS
from archcalc.values.report import COUNTING_CONVENTION

DOCS = Path(__file__).parents[1] / "docs"
FILE = DOCS / "llms.txt"

SHARED = 3
"""An option of at least so many commands is described once."""

HEAD = f"""\
# archcalc

> Tells exactly what a neural network costs, layer by layer: parameters, multiply-adds, receptive field, memory, time.
> A command line and a Python library for torch models; a model is traced without allocating its weights.

- MODEL: {MODEL}
- A model that is no zoo name and has no input of its own needs `-i CxHxW` without the batch, such as `-i 3x224x224`;
  `-b` sets the batch, `-i 128:int64` the dtype, and `-i` is given once for each input. In Python shapes have the batch:
  `archcalc.analyze(net, (1, 3, 224, 224))`.
- {COUNTING_CONVENTION}.
- What is not known is null in JSON, empty in CSV and `?` in a table, never 0. `complete` is false then, and totals are
  lower bounds; `--strict` exits with 1.
- Data goes to stdout, messages to stderr. `-o FILE` writes the whole file or leaves it as it was.
- Formats, `-f`: {", ".join(FORMATS)}. For programs: {" and ".join(RAW)}, with raw integers and every row.
- Columns of rows, for `--columns`: {", ".join(COLUMNS)}. docs/formats.md says what they mean.
"""


def text() -> str:
    """The whole file."""
    parts = [HEAD, *_exit_codes(), *_commands(), *_library(), *_schemas(), *_pages()]
    return "\n".join(parts) + "\n"


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    page = (DOCS / "formats.md").read_text(encoding="utf-8")
    for code, meaning in re.findall(r"^\| (\d+) \| (.*) \|$", page.partition("## Exit codes")[2], re.M):
        yield f"- {code}: {meaning}"
    yield ""


def _commands() -> Iterator[str]:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    listed = {}
    for name, command in group.commands.items():
        hints = get_type_hints(command.callback)
        listed[name] = [_option(param, hints.get(str(param.name))) for param in command.params]
    counted = Counter(line for lines in listed.values() for line in lines if line.startswith("-"))
    shared = [line for line, times in counted.items() if times >= SHARED]
    yield "## Options of several commands\n"
    yield from (f"- {line}" for line in shared)
    yield "\n## Commands\n"
    for name, command in group.commands.items():
        about, _, examples = (command.help or "").partition("\b")
        arguments = "".join(f" {line}" for line in listed[name] if line and not line.startswith("-"))
        also = [line.split()[0].rstrip(",:") for line in listed[name] if line in shared]
        yield f"### archcalc {name}{arguments}\n"
        yield " ".join(about.split()) + "\n"
        yield from (f"    {line.strip()}" for line in examples.strip().splitlines() if line.strip())
        yield ""
        yield from (f"- {line}" for line in listed[name] if line.startswith("-") and line not in shared)
        yield f"- and: {', '.join(also)}\n"


def _option(param: Any, hint: Any) -> str:
    """An option with its value and help, or an argument as the usage has it."""
    if isinstance(param, typer.core.TyperArgument):
        name = param.metavar or param.name.upper()
        return name if param.required or name.startswith("[") else f"[{name}]"
    value = "" if param.is_flag else f" {param.metavar or _values(hint)}"
    return f"{', '.join(param.opts)}{value}: {' '.join((param.help or '').split())}"


def _values(hint: Any) -> str:
    """What an option takes, by its type: one of several words, or the name of the type."""
    kinds = [one for one in (get_args(hint) or (hint,)) if one is not NoneType]
    kind = get_args(kinds[0])[0] if get_args(kinds[0]) else kinds[0]
    return "|".join(kind) if issubclass(kind, StrEnum) else {int: "N", float: "X"}.get(kind, "TEXT")


def _library() -> Iterator[str]:
    yield "## Python: `import archcalc`\n"
    for name in archcalc.__all__:
        value = getattr(archcalc, name)
        about = " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())
        signature = "" if inspect.isclass(value) else _signature(value)
        yield f"- `{name}{signature}`: {about}"
    yield ""


def _signature(function: Any) -> str:
    """The signature without the quotes that postponed annotations have."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))


def _schemas() -> Iterator[str]:
    yield "## JSON schemas\n"
    yield "Every document has its name in `schema`; a new number says that a key went or changed its meaning.\n"
    yield from (f"- {name}: docs/schema/{file_of(name).name}" for name in schemas())
    yield ""


def _pages() -> Iterator[str]:
    yield "## Pages\n"
    for page in sorted(DOCS.glob("*.md")):
        title, question = re.findall(r"^# (.*)\n\n\*\*(.*)\*\*", page.read_text(encoding="utf-8"))[0]
        yield f"- [{title}]({page.name}): {question}"
