"""docs/schema: the files are those that the types and columns of today give, and stored values are as they say.

What commands print is held against them in test_interface.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from torch import nn

import archcalc
from archcalc.analysis import analysis_of
from archcalc.count.memory import budget, timeline
from archcalc.formats import render
from archcalc.render.rf_unit import layer_field
from archcalc.render.table import layers
from archcalc.values.claim import Claim, Verdict
from archcalc.values.stored import Stored
from tests.support.schemas import problems

sys.path.insert(0, str(Path(__file__).parents[2] / "reports"))
import schemas

ALL = schemas.schemas()


@pytest.mark.parametrize("name", ALL)
def test_a_schema_is_that_of_today(name: str, request: pytest.FixtureRequest) -> None:
    file, text = schemas.file_of(name), schemas.text_of(ALL[name])
    if request.config.getoption("--golden-update"):
        file.write_text(text, encoding="utf-8", newline="\n")
    assert file.read_text(encoding="utf-8") == text


def test_no_schema_is_left_over() -> None:
    assert set(schemas.FOLDER.iterdir()) == set(map(schemas.file_of, ALL))


def test_every_stored_value_has_a_schema() -> None:
    classes = [cls for cls in Stored.__subclasses__() if cls.SCHEMA]
    assert {cls.SCHEMA for cls in classes} == {cls.SCHEMA for cls in schemas.STORED}


def test_stored_values_are_as_their_schemas_say() -> None:
    analysis = analysis_of("inception-module", backward=True)
    claim = Claim("lenet5", "params", printed="60,000", settings={"width": (1, 2.5, None)})
    values = [
        *(analysis.trace, analysis.report, budget(analysis.trace), timeline(analysis.trace)),
        *(claim, Verdict(claim, "60000", "exact"), archcalc.lock("lenet5"), archcalc.conventions("lenet5")),
        archcalc.compare("conv3x3", "conv5x5"),
    ]
    assert {type(value).__name__: problems(value.to_dict()) for value in values if problems(value.to_dict())} == {}


def test_a_receptive_field_of_fractions() -> None:
    net = nn.Sequential(nn.ConvTranspose2d(3, 4, 3, stride=2))
    report = json.loads(render(layers(archcalc.analyze(net, (1, 3, 8, 8))), "json"))
    field = json.loads(render(layer_field(archcalc.receptive_field(net, "0", inputs=(1, 3, 8, 8))), "json"))
    assert report["rows"][0]["jump"] == field["jump"] == ["1/2", "1/2"]
    assert problems(report) == problems(field) == []


def test_a_wrong_document_is_found_out() -> None:
    document = json.loads(archcalc.analyze("conv3x3").to_json())
    assert problems(document) == []
    del document["rows"][0]["macs"]
    document["training"] = "no"
    assert {problem.partition(":")[0] for problem in problems(document)} == {"$.training", "$.rows[0]"}
