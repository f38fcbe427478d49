"""Names, notes and errors that would steer a terminal or run in a spreadsheet are harmless in every format."""

from __future__ import annotations

import csv
import io
import json

import pytest

from archcalc.cli.streams import say
from archcalc.count.diff import difference as compared
from archcalc.formats import FORMATS, render
from archcalc.formats.safe import spreadsheet_text
from archcalc.render.diff import difference
from archcalc.render.list import catalogue
from archcalc.render.table import layers
from archcalc.render.verify import verification
from archcalc.values.claim import Claim, Verdict
from archcalc.values.document import Document, Heading
from archcalc.values.listing import Architecture, Listing
from archcalc.values.report import Report, Row

CONTROLS = "\x1b[31m \x9b31m \x00 \r \x07 \x7f \x85 \u2028 \u202e \u2066 \u200f \ud800 \U000e0001"
HOSTILE = f"=cmd|' /C calc'!A0{CONTROLS}"
STEERING = set(CONTROLS) - set(" [31m")

CLAIM = Claim(HOSTILE, HOSTILE, HOSTILE, printed="1", source=HOSTILE, where=HOSTILE, because=HOSTILE, right=HOSTILE)
NETWORK = Architecture(HOSTILE, 1998, HOSTILE, (1, 4), HOSTILE, HOSTILE, "", ())
DOCUMENTS = {
    "report": layers(
        Report(
            HOSTILE,
            (Row(HOSTILE, HOSTILE, unknown=(HOSTILE,)),),
            ((1, 4),),
            source=HOSTILE,
            notes=(HOSTILE,),
            failure=HOSTILE,
        )
    ),
    "diff": difference(compared(*(Report(HOSTILE, rows, ((1, 4),)) for rows in ((), (Row(HOSTILE, HOSTILE),))))),
    "claims": verification([Verdict(CLAIM, HOSTILE, "differs", HOSTILE)]),
    "list": catalogue([Listing(NETWORK, error=HOSTILE)]),
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("colour", [False, True])
def test_no_format_lets_a_text_steer_the_terminal(name: str, form: str, colour: bool) -> None:
    text = render(DOCUMENTS[name], form, width=200, colour=colour)
    own = ["\x1b[1m", "\x1b[2m", "\x1b[0m", "\x1b[1;33m", "\x1b[1;31m", "\x1b[36m"] if colour else []
    for code in own:
        text = text.replace(code, "")
    assert not STEERING & set(text)
    assert "cmd" in text
    text.encode()


def test_json_keeps_what_the_names_are() -> None:
    assert json.loads(render(DOCUMENTS["report"], "json"))["subject"] == HOSTILE


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    (record,) = csv.DictReader(io.StringIO(render(DOCUMENTS[name], "csv")))
    assert not [cell for cell in record.values() if cell.startswith("=")]
    assert any(cell.startswith("'=cmd|") for cell in record.values())


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "- cmd|x", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "-x", "+A1"],
)
def test_a_formula_is_defused(text: str) -> None:
    assert spreadsheet_text(text) == "'" + text.replace("\t", " ").replace("\r", " ")


@pytest.mark.parametrize(
    "text", ["", "-5", "+8,568", "-1.5e-7", "-3.2%", "-", "-/10.07 ImageNet val", "a=b", "x - y", "5"]
)
def test_numbers_and_ordinary_text_stay(text: str) -> None:
    assert spreadsheet_text(text) == text


def test_values_that_are_no_text_stay_whatever_they_are() -> None:
    headings = (Heading("a", "a", "difference"), Heading("b", "b", "ratio"), Heading("c", "c", "text"))
    text = render(Document("test/1", headings, ((-5, -0.25, "-5"),), (), dict), "csv")
    assert text == "a,b,c,schema\n-5,-0.25,-5,test/1\n"


def test_what_is_said_on_stderr_is_one_line_that_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"one{CONTROLS}\ntwo")
    said = capsys.readouterr().err
    assert not STEERING & set(said)
    assert said.count("\n") == 1
    assert said.endswith(" two\n")
