"""verify, explain, export: what documents say, how a number comes about, and the reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archcalc.cli.networks import analyze
from archcalc.cli.options import As, Backward, Batch, Debug, Format, Inputs, Model, Output, Settings, Training
from archcalc.cli.streams import clear_errors, progress, say, write, write_file
from archcalc.errors import ModelError, UsageError, unknown


def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CLAIMS.toml]...", help="Your own claims, in place of the documented."),
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only claims about this network.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only sources whose name contains this.")] = None,
    verdict: Annotated[str | None, typer.Option("--verdict", help="Only these verdicts: exact, rounds, ...")] = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Every documented number against the computed one; exit 1 if any verdict is not the expected one.

    \b
    archcalc verify
    archcalc verify --subject googlenet --verdict differs
    archcalc verify my-claims.toml
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.claims.claim import VERDICTS, choose, documented, read
        from archcalc.render.verdicts import verification

        if verdict is not None and verdict not in VERDICTS:
            raise unknown("verdict", verdict, VERDICTS)
        every = [claim for file in files for claim in read(file)] if files else documented()
        claims = choose(every, subject, source)
        if not claims:
            raise UsageError(f"none of the {len(every)} claims is about that; `archcalc verify` shows all of them")

        from archcalc.claims.check import by_subject, in_order, verdicts
        from archcalc.cli.workers import in_processes

        groups = by_subject(claims)
        with progress(len(groups)) as done:
            found = in_order(claims, in_processes(verdicts, groups, done))
        shown = [each for each in found if verdict in (None, each.verdict)]
        write(verification(shown, reasons=verdict == "differs"), form, output)
        wrong = [each for each in found if not each.ok]
        if wrong:
            entries = ", ".join(each.claim.entry for each in wrong)
            say(f"{len(wrong)} of {len(found)} claims are not as expected: {entries}")
            raise typer.Exit(1)


def explain(
    model: Model,
    layer: Annotated[str | None, typer.Argument(metavar="[LAYER]", help="A layer's path, or a module's.")] = None,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    backward: Backward = False,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """How a number comes about: the formula with its numbers in, and what the documents say of it.

    \b
    archcalc explain alexnet
    archcalc explain alexnet conv2
    archcalc explain googlenet inception_3a -f markdown
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.claims.metrics import rows_at
        from archcalc.render.explanation import explanation

        report = analyze(model, input_size, batch_size, training, set_, backward)
        rows = [] if layer is None else rows_at(report, layer)

        from archcalc.claims.check import about

        write(explanation(report, layer, rows, about(report.subject, layer)), form, output)


def export(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the reports are.")] = Path("reports"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 naming the reports that are stale.")
    ] = False,
    debug: Debug = False,
) -> None:
    """The CSV reports: a table for each network, the zoo, the lectures' comparisons, the claims.

    \b
    archcalc export reports/
    archcalc export --check reports/
    """  # noqa: D301
    with clear_errors(debug):
        from archcalc.cli.workers import in_processes
        from archcalc.export import assembled, do, stale, tasks

        if not check:
            _make(folder)  # before seconds of work
        todo = tasks()
        with progress(len(todo)) as done:
            made = assembled(in_processes(do, todo, done))
        different = stale(folder, made) if check else []
        if not check:
            for name, text in made.texts.items():
                _make((folder / name).parent)
                write_file(folder / name, text)
            say(f"wrote {len(made.texts)} reports to {folder}")
        elif different:
            say(f"stale in {folder}: {', '.join(different)}; `archcalc export {folder}` writes them anew")
        else:
            say(f"all {len(made.texts)} reports in {folder} are as computed")
        for name, why in made.failed.items():
            say(f"{name} cannot be made: {why}")
        if made.failed or different:
            raise typer.Exit(ModelError.exit_code if made.failed else 1)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # a null byte in a name is a ValueError
        raise UsageError(f"cannot make {folder}: {getattr(error, 'strerror', None) or error}") from error
