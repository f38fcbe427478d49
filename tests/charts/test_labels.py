"""Names stand clear of what is drawn, and a name that stands off its point has a line to it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

import archcalc
from archcalc.charts import layers
from archcalc.charts.labels import Label, Point, Scale, leader, text_width


@pytest.mark.parametrize("scale", [Scale(2, 512, 340, 0, log=True), Scale(0, 50, 0, 560)])
def test_a_pixel_is_at_the_value_that_is_drawn_there(scale: Scale) -> None:
    for value in (scale.low or 1, 7.5, scale.high):
        assert scale.value(scale(value)) == pytest.approx(value)


def test_a_name_beside_its_point_has_no_line_and_one_further_off_has_a_line_that_ends_at_it() -> None:
    point = Point(100, 100, 10, "net")
    assert leader(point, Label(14, 0, "left")) is None  # 4 pixels from the circle, as near as names stand
    assert leader(point, Label(60, 0, "left")) == (160, 100)
    end = leader(point, Label(-40, -30, "right"))
    assert end is not None
    assert end[0] == 60  # the right end of the name
    assert 70 < end[1] < 80  # its lower edge, half a line of 12 pixels below its middle


def test_overlapping_circles_of_the_zoo_have_lines_to_names_that_stand_off() -> None:
    spec = archcalc.plot("zoo", protocol="imagenet").spec
    _, lines, texts = spec["layer"]
    led = {record["network"] for record in lines["data"]["values"]}
    assert {"vgg16", "vgg13"} <= led  # both lie under other circles of the VGG family
    assert "alexnet" not in led  # it stands alone
    assert led < {record["network"] for record in texts["data"]["values"]}


def test_the_label_of_an_input_lies_on_no_line_of_a_network() -> None:
    spec = archcalc.plot("receptive-field", "alexnet", "vgg16", "resnet50", "googlenet").spec
    _, text, lines, *_ = spec["layer"]
    (label,) = (record for record in text["data"]["values"] if record["label"])
    assert label["align"] == "right"
    left = label["x"] - text_width(label["label"])
    # ResNet-50 runs above the dashed line there: the label is below it.
    reached = [record for record in lines["data"]["values"] if record["depth"] / 49 * 560 > left]
    assert reached
    assert all(record["pixels"] > label["pixels"] for record in reached)
    assert label["dy"] > 0


def test_the_shares_of_neighbouring_bars_do_not_touch() -> None:
    svg = archcalc.plot("layers", "alexnet").svg()
    texts = re.findall(r'<text [^>]*translate\(([\d.]+),([\d.]+)\)[^>]*font-size="10px"[^>]*>[^<]*%</text>', svg)
    places = sorted(float(y) for _, y in texts)
    assert len(places) == 2 * 8  # five convolutions and three linear layers
    assert min(after - before for before, after in pairwise(places)) > 11  # a line of 10 pixels, and a gap


def test_a_network_of_few_stages_shows_its_blocks() -> None:
    rows = layers.shown(archcalc.analyze("resnet152"))
    assert len(rows) == 3 + (3 + 8 + 36 + 3)  # conv1, its norm and fc; the blocks of He 2015, Table 1
    assert "conv4_x.conv4_36" in [row.path for row in rows]
    modules = [row.path for row in layers.shown(archcalc.analyze("googlenet"))]
    assert "inception_3a" in modules  # not its 57 convolutions
