"""Claims written to do harm or to take for ever: each is turned away at once, with the entry named."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from archcalc.claims.read import LONGEST, parse
from archcalc.values.errors import UsageError
from tests.cli.test_cli import run

ENTRY = '[[claim]]\nsubject = "lenet5"\nmetric = "params"\n'
HOSTILE = {
    "an exponent of eight digits": f'{ENTRY}printed = "1e99999999"',
    "a number of 10,000 digits": f'{ENTRY}printed = "{"9" * 10_000}"',
    "a long pattern": f'{ENTRY}printed = "1"\nof = "{"*a" * 50_000}"',
    "a TOML integer of 5,000 digits": f"{ENTRY}printed = {'9' * 5_000}",
    "lists 50,000 deep": f"{ENTRY}printed = {'[' * 50_000}{']' * 50_000}",
    "a budget of 1,000 digits": f'{ENTRY}max = "{"9" * 1_000}"',
    "no significant digits": f'{ENTRY}printed = "60000"\ndigits = -5',
    "a batch below one": f'{ENTRY}printed = "60000"\nbatch = 0',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_claim_is_turned_away_at_once(text: str, tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text(text)
    begun = perf_counter()
    result = run("verify", str(file))
    assert perf_counter() - begun < 5
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(file) in result.stderr
    assert len(result.stderr) < 3 * LONGEST


def test_a_text_may_have_so_many_characters() -> None:
    entry = ENTRY.replace("lenet5", "{}") + 'printed = "1"'
    assert parse(entry.format("a" * LONGEST), "claims.toml")[0].subject == "a" * LONGEST
    with pytest.raises(UsageError, match=r"claims.toml, claim 1: subject has 2,001 characters, it may have 2,000"):
        parse(entry.format("a" * (LONGEST + 1)), "claims.toml")


def test_a_claim_runs_no_command(tmp_path: Path) -> None:
    made = tmp_path / "made"
    file = tmp_path / "claims.toml"
    file.write_text(
        f'[[claim]]\nsubject = "os:system"\nmetric = "params"\nmax = "1"\nsettings = {{command = "touch {made}"}}'
    )
    result = run("verify", str(file))
    assert (result.exit_code, made.exists()) == (2, False)
    assert "claim 1: os:system is neither a network of the zoo nor in a Python file below" in result.stderr
    assert run("verify", str(file), "--trust").exit_code == 2  # it runs, and gives no module
    assert made.exists()


def test_what_a_claim_is_compared_with_is_vetted_too(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text(f'{ENTRY}printed = "1"\nagainst = "os:abort"')
    assert run("verify", str(file)).exit_code == 2


def test_a_function_is_tried_once_however_many_claims_name_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\ndef build():\n"
        f"    with open({str(log)!r}, 'a') as log: log.write('x')\n    return nn.Linear(2, 2)\n"
    )
    claim = f'[[claim]]\nsubject = "{tmp_path / "net.py"}:build"\nmetric = "params"\ninput = "2"\nprinted = "6"\n'
    file = tmp_path / "claims.toml"
    file.write_text(5 * claim)
    result = run("verify", str(file))
    assert result.exit_code == 0, result.stderr
    assert log.read_text() == "xx"  # once in a process of its own, once to be counted
