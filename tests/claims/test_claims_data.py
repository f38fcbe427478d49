"""The claims that come with archcalc: every file reads, every verdict is the expected one, no fact is left out."""

from __future__ import annotations

from fractions import Fraction
from importlib import resources

import pytest

from archcalc.claims.printed_number import number
from archcalc.claims.read import documented
from archcalc.values.claim import Claim
from tests.cli.test_cli import rows, run

FILES = sorted(file.name for file in resources.files("archcalc.claims").iterdir() if file.name.endswith(".toml"))
SOURCES = """
derived he-2015 he-2016 krizhevsky-2012 lecun-1998 lin-2013 note-0 note-1 note-2 note-3 note-4
simonyan-2014 szegedy-2014 szegedy-2015 szegedy-2016
"""

# Of facts.md: the exact figures that some claim must state. subject, place, metric, values in the order of the places
EXACT: list[tuple[str, str, str, list[int]]] = [
    ("lenet5", "C1 S2 C3 S4 C5 F6 output", "params", [156, 12, 1516, 32, 48120, 10164, 0]),
    ("lenet5", "C3.conv_3_adjacent C3.conv_4_adjacent C3.conv_4_apart C3.conv_all_6", "params", [456, 606, 303, 151]),
    ("lenet5", "C1 S2 C3 S4 C5 F6 output", "connections", [122304, 5880, 151600, 2000, 48120, 10164, 840]),
    ("lenet5", "", "params", [60000]),
    ("lenet5", "", "connections", [340908]),
    ("lenet5-modern", "C1 C3 C5 F6 output", "params", [156, 2416, 48120, 10164, 850]),
    ("lenet5-modern", "", "params", [61706]),
    ("alexnet", "conv1 conv2 conv3 conv4 conv5", "params", [34944, 307456, 885120, 663936, 442624]),
    ("alexnet", "fc6 fc7 fc8", "params", [37752832, 16781312, 4097000]),
    ("alexnet", "conv1 conv2 conv3 conv4 conv5", "macs", [105415200, 223948800, 149520384, 112140288, 74760192]),
    ("alexnet", "fc6 fc7 fc8", "macs", [37748736, 16777216, 4096000]),
    ("alexnet", "", "params", [60965224]),
    ("alexnet", "", "macs", [724406816]),
    ("alexnet", "", "activations", [659272]),
    ("alexnet-one-tower", "", "params", [62378344]),
    ("alexnet-one-tower", "", "macs", [1135256096]),
    ("alexnet-owt", "", "params", [61100840]),
    ("alexnet-owt", "", "macs", [714188480]),
    ("vgg11", "", "params", [132863336]),
    ("vgg11-lrn", "", "params", [132863336]),
    ("vgg13", "", "params", [133047848]),
    ("vgg16-1x1", "", "params", [133638952]),
    ("vgg16", "", "params", [138357544]),
    ("vgg19", "", "params", [143667240]),
    ("vgg16", "", "macs", [15470264320]),
    ("vgg19", "", "macs", [19632062464]),
    ("vgg16", "flatten", "output_elements", [25088]),
    ("conv3x3-twice", "", "weights_per_channel_pair", [18]),
    ("conv5x5", "", "weights_per_channel_pair", [25]),
    ("conv3x3-thrice", "", "weights_per_channel_pair", [27]),
    ("conv7x7", "", "weights_per_channel_pair", [49]),
    ("conv1x7-7x1", "", "weights_per_channel_pair", [14]),
    ("nin-cifar10", "", "params", [966986]),
    ("nin", "", "params", [7595176]),
    ("nin", "", "macs", [1100188800]),
    ("inception-naive", "", "macs", [120422400]),
    ("inception-bottleneck", "5x5_reduce 5x5", "macs", [2408448, 10035200]),
    ("inception-bottleneck", "", "macs", [12443648]),
    ("inception-4a-5x5-naive", "", "macs", [112896000]),
    ("inception-4a-5x5-bottleneck", "5x5_reduce 5x5", "macs", [1505280, 3763200]),
    ("inception-4a-5x5-bottleneck", "", "macs", [5268480]),
    ("head-fc", "", "weights", [51380224]),
    ("head-gap", "", "weights", [0]),
    ("googlenet", "", "params", [6998552]),
    ("googlenet", "", "registered_params", [13378280]),
    ("googlenet", "", "macs", [1582671872]),
    ("googlenet", "head_4a head_4d", "params", [3188840, 3190888]),
    ("inception-v3", "", "params", [23834568]),
    ("inception-v3", "", "registered_params", [27161264]),
    ("inception-v3", "", "macs", [5713216096]),
    ("resnet18", "", "macs", [1814073344]),
    ("resnet34", "", "macs", [3663761408]),
    ("resnet50", "", "macs", [3857973248]),
    ("resnet101", "", "macs", [7570194432]),
    ("resnet152", "", "macs", [11282415616]),
    ("resnet18", "", "params", [11689512]),
    ("resnet34", "", "params", [21797672]),
    ("resnet50", "", "params", [25557032]),
    ("resnet101", "", "params", [44549160]),
    ("resnet152", "", "params", [60192808]),
    ("resnet50-v1.5", "", "macs", [4089184256]),
    ("resnet101-v1.5", "", "macs", [7801405440]),
    ("resnet152-v1.5", "", "macs", [11513626624]),
    ("residual-bottleneck", "", "weights", [69632]),
    ("residual-block", "", "weights", [1179648]),
]

# Of facts.md: what a document prints with fewer digits, or wrongly. subject, metric, print
PRINTED = [
    ("lenet5", "params", "60k"),
    ("lenet5", "input_shape", "32x3"),
    ("alexnet", "params", "60M"),
    ("alexnet", "params", "60 million"),
    ("alexnet", "activations", "253,440"),
    ("alexnet", "activations", "650,000"),
    ("alexnet", "input_shape", "3x224x224"),
    ("alexnet", "params", "1000x"),
    ("vgg16", "macs", "15.3 billion"),
    ("vgg19", "macs", "19.6 billion"),
    ("vgg16", "filters", "512 of 3x3x256"),
    ("vgg16", "units", "10000"),
    ("vgg16", "exists", "yes"),
    ("conv3x3-twice", "macs", "28%"),
    ("conv7x7", "weights", "81%"),
    ("inception-naive", "macs", "120M"),
    ("inception-bottleneck", "macs", "2.4M"),
    ("inception-bottleneck", "macs", "10.0M"),
    ("inception-bottleneck", "macs", "12.4M"),
    ("inception-bottleneck", "macs", "about 1/10"),
    ("inception-4a-5x5-naive", "macs", "112.9M"),
    ("inception-4a-5x5-bottleneck", "macs", "5.3M"),
    ("head-fc", "weights", "51.3M"),
    ("googlenet", "depth", "22"),
    ("googlenet", "modules", "9"),
    ("googlenet", "macs", "1.5 billion"),
    ("inception-v3", "macs", "5 billion"),
    ("conv1x3-3x1", "macs", "33%"),
    ("resnet152", "depth", "152"),
    ("resnet34", "macs", "18%"),
]
PRINTED += [(f"vgg{net}", "params", f"{n} million") for net, n in (("11", 133), ("11-lrn", 133), ("13", 133))]
PRINTED += [(f"vgg{net}", "params", f"{n} million") for net, n in (("16-1x1", 134), ("16", 138), ("19", 144))]
PRINTED += [
    (f"resnet{depth}", "macs", f"{flops}e9")
    for depth, flops in ((18, 1.8), (34, 3.6), (50, 3.8), (101, 7.6), (152, 11.3))
]
PRINTED += [
    (f"resnet{depth}", "params", f"{params}M")
    for depth, params in ((20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7), (1202, 19.4))
]

# Szegedy 2014, Table 1: output, #1×1 ... pool proj, params in K, ops in M
TABLE_1 = {
    "3a": ("256x28x28", (64, 96, 128, 16, 32, 32), 159, 128),
    "3b": ("480x28x28", (128, 128, 192, 32, 96, 64), 380, 304),
    "4a": ("512x14x14", (192, 96, 208, 16, 48, 64), 364, 73),
    "4b": ("512x14x14", (160, 112, 224, 24, 64, 64), 437, 88),
    "4c": ("512x14x14", (128, 128, 256, 24, 64, 64), 463, 100),
    "4d": ("528x14x14", (112, 144, 288, 32, 64, 64), 580, 119),
    "4e": ("832x14x14", (256, 160, 320, 32, 128, 128), 840, 170),
    "5a": ("832x7x7", (256, 160, 320, 32, 128, 128), 1072, 54),
    "5b": ("1024x7x7", (384, 192, 384, 48, 128, 128), 1388, 71),
}
BRANCHES = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    return documented()


def test_there_is_one_file_a_source(claims: list[Claim]) -> None:
    assert {name.removesuffix(".toml") for name in FILES} == set(SOURCES.split())
    sources = {(claim.file, claim.source) for claim in claims}
    assert len(sources) == len({source for _, source in sources}) == len(FILES)


@pytest.mark.sweep
def test_every_verdict_is_the_expected_one(claims: list[Claim]) -> None:
    result = run("verify", "-f", "csv")
    assert result.exit_code == 0, result.stderr  # which names every claim that is not as expected
    assert len(rows(result)) == len(claims)


def test_every_claim_says_where_it_stands_and_what_is_expected(claims: list[Claim]) -> None:
    assert not [claim.entry for claim in claims if not (claim.source and claim.where and claim.expect)]


def test_every_erratum_has_the_right_value_and_a_reason_and_nothing_else_has(claims: list[Claim]) -> None:
    errata = [claim for claim in claims if claim.expect == "differs"]
    assert len(errata) > 30
    assert not [claim.entry for claim in errata if not (claim.right and claim.because)]
    assert not [claim.entry for claim in claims if claim.expect != "differs" and (claim.right or claim.because)]
    reasons = [claim.because or "" for claim in errata]
    assert not [reason for reason in reasons if not reason.endswith(".") or "  " in reason]


def test_no_claim_is_made_twice_in_a_file(claims: list[Claim]) -> None:
    made = [str({k: v for k, v in c.to_dict().items() if k not in ("number", "where")}) for c in claims]
    assert len(made) == len(set(made))


@pytest.mark.parametrize(("subject", "places", "metric", "values"), EXACT, ids=lambda value: str(value)[:24])
def test_every_exact_fact_is_claimed(
    claims: list[Claim], subject: str, places: str, metric: str, values: list[int]
) -> None:
    stated = {
        (claim.place, number(claim.printed).value)
        for claim in claims
        if (claim.subject, claim.metric, claim.expect, claim.against) == (subject, metric, "exact", None)
        if claim.printed is not None
    }
    facts = zip(places.split() or [""], map(Fraction, values), strict=True)
    assert not [fact for fact in facts if fact not in stated]


def test_every_print_is_claimed(claims: list[Claim]) -> None:
    stated = {(claim.subject, claim.metric, claim.printed) for claim in claims}
    assert not [fact for fact in PRINTED if fact not in stated]


def test_every_cell_of_googlenets_table_is_claimed(claims: list[Claim]) -> None:
    stated = {(c.place, c.metric, c.printed) for c in claims if c.source == "Szegedy 2014"}
    for row, (shape, filters, params, ops) in TABLE_1.items():
        place = f"inception_{row}"
        assert (place, "output_shape", shape) in stated
        assert (place, "macs", f"{ops}M") in stated
        assert {(place, "weights", f"{params}{k}") for k in ("K", "Ki")} & stated
        assert {(f"{place}.{label}", "units", str(n)) for label, n in zip(BRANCHES, filters, strict=True)} <= stated
