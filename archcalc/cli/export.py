"""export: the CSV reports, written or checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archcalc.cli.options import Debug
from archcalc.cli.streams import clear_errors, progress, say, write_files
from archcalc.values.errors import ModelError, UsageError


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
            texts = {folder / name: text for name, text in made.texts.items()}
            for parent in {path.parent for path in texts}:
                _make(parent)
            write_files(texts)
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
