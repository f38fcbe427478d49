"""verify: every documented number against the computed one."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from archcalc.cli.options import As, Debug, Format, Output
from archcalc.cli.streams import clear_errors, progress, say, write
from archcalc.values.errors import UsageError, unknown


def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CLAIMS.toml]...", help="Your own claims, in place of the documented."),
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only claims about this network.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only sources whose name contains this.")] = None,
    verdict: Annotated[str | None, typer.Option("--verdict", help="Only these verdicts: exact, rounds, ...")] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Let claims name any code; else the zoo and files beside them.")
    ] = False,
    lock: Annotated[
        list[Path] | None,
        typer.Option("--lock", metavar="ARCH.lock", help="Check architectures that `archcalc lock` pinned instead."),
    ] = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Every documented number against the computed one; exit 1 if any verdict is not the expected one.

    \b
    archcalc verify
    archcalc verify --subject googlenet --verdict differs
    archcalc verify my-claims.toml
    archcalc verify --lock arch.lock
    """  # noqa: D301
    with clear_errors(debug):
        if lock:
            if files or subject or source or verdict:
                raise UsageError("--lock is checked by itself: leave out claims and what chooses among them")
            _verify_locks(lock, trust, form, output)
            return

        from archcalc.claims.read import chosen
        from archcalc.render.verify import verification
        from archcalc.values.claim import VERDICTS

        if verdict is not None and verdict not in VERDICTS:
            raise unknown("verdict", verdict, VERDICTS)
        claims = chosen(files or (), subject, source)

        from archcalc.claims.check import by_subject, in_order, verdicts
        from archcalc.cli.workers import in_processes

        groups = by_subject(claims)
        with progress(len(groups)) as done:
            checked = in_order(claims, in_processes(partial(verdicts, trust=trust), groups, done))
        shown = [result for result in checked if verdict in (None, result.verdict)]
        write(verification(shown, reasons=verdict == "differs"), form, output)
        wrong = [result for result in checked if not result.ok]
        if wrong:
            entries = ", ".join(result.claim.entry for result in wrong)
            say(f"{len(wrong)} of {len(checked)} claims are not as expected: {entries}")
            raise typer.Exit(1)


def _verify_locks(files: list[Path], trust: bool, form: Format, output: Path | None) -> None:
    from archcalc.claims.locks import check_lock
    from archcalc.render.lock import lock_verdicts

    with redirect_stdout(sys.stderr):  # what a model prints is said to a person; stdout is for the data
        verdicts = [check_lock(file, trust=trust) for file in files]
    write(lock_verdicts(verdicts), form, output)
    wrong = [f"{verdict.file}: {verdict.problem}" for verdict in verdicts if verdict.problem]
    if wrong:
        say("; ".join(wrong))
        raise typer.Exit(1)
