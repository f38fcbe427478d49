"""Claims: how a print is judged, what the reader turns away, and that every kind of claim can fail."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import archcalc
from archcalc.claims.check import check
from archcalc.claims.metrics import METRICS
from archcalc.claims.printed_number import Value, budget, judge, number
from archcalc.claims.properties import PROPERTIES
from archcalc.claims.read import documented, parse
from archcalc.values.errors import UsageError
from tests.cli.test_cli import NET, rows, run

JUDGED: list[tuple[str, Value, str]] = [
    ("61706", 61706, "exact"),
    ("60,000", 60000, "exact"),
    ("61706", 61707, "differs"),
    ("60M", 60965224, "truncates"),
    ("61M", 60965224, "rounds"),
    ("62M", 60965224, "differs"),
    ("60 million", 60965224, "truncates"),
    ("about 60k", 60000, "exact"),
    ("112.9M", 112896000, "rounds"),
    ("5.3M", 5268480, "rounds"),
    ("51.3M", 51380224, "truncates"),
    ("3.8e9", 3857973248, "truncates"),
    ("1.8e9", 1814073344, "rounds"),  # rounded and cut off are the same here: rounding is what one expects
    ("11.3e9", 11282415616, "rounds"),
    ("1.5 billion", 1582671872, "truncates"),
    ("0.27M", 269722, "rounds"),
    ("28%", Fraction(28, 100), "exact"),
    ("33%", Fraction(1, 3), "rounds"),
    ("18%", Fraction(1866, 10000), "truncates"),
    ("1/10", Fraction(12443648, 120422400), "rounds"),
    ("about 1/10", Fraction(1, 8), "differs"),
    ("9.68x", Fraction(120422400, 12443648), "rounds"),
    ("2.5M", 2450000, "rounds"),  # half a unit is within the print
    ("96x55x55", (96, 55, 55), "exact"),
    ("96×55×55", (96, 55, 55), "exact"),
    ("96x55x54", (96, 55, 55), "differs"),
    ("256 of 5×5×48", "256 of 5x5x48", "exact"),
    ("holds", True, "exact"),
    ("true", False, "differs"),
    ("3", None, "differs"),  # unknown agrees with nothing
]


@pytest.mark.parametrize(("printed", "computed", "verdict"), JUDGED, ids=[f"{p}-{v}" for p, _, v in JUDGED])
def test_a_print_is_judged_by_its_own_precision(printed: str, computed: Value, verdict: str) -> None:
    assert judge(printed, computed) == verdict


def test_zeros_that_do_not_tell_need_the_number_of_digits() -> None:
    assert judge("650,000", 659272) == "differs"
    assert judge("650,000", 659272, digits=2) == "truncates"
    assert judge("660,000", 659272, digits=2) == "rounds"
    assert judge("1000x", Fraction(60965224, 60000), digits=1) == "rounds"
    assert number("112.9M").step == 100_000


@pytest.mark.parametrize("text", ["", "many", "60Q", "1.2.3", "-5", "3 %%", "1/0x"])
def test_what_is_no_number_is_turned_away(text: str) -> None:
    with pytest.raises(UsageError, match="no number"):
        judge(text, 5)


def test_budgets() -> None:
    assert budget(24_999_999, None, "25M") == "within"
    assert budget(25_000_001, None, "25M") == "over"
    assert budget(5, "6", None) == "under"
    with pytest.raises(UsageError, match="a number"):
        budget((1, 2), None, "3")


# ---- the reader


BAD_FILES = [
    ("claim = 3", "holds no claims"),
    ("", "holds no claims"),
    ("[[claim]", "is not TOML"),
    ('[[claim]]\nsubject = "alexnet"\nmetric = "params"', "claim 1: it says nothing to check"),
    ('[[claim]]\nsubject = "alexnet"\nprinted = "3"', "claim 1: metric is missing"),
    ('[[claim]]\nmetric = "params"\nprinted = "3"', "claim 1: subject is missing"),
    ('[[claim]]\nsubjct = "alexnet"', "claim 1: unknown key 'subjct': did you mean subject"),
    ('subjct = "alexnet"\n[[claim]]\nmetric = "params"', "before the first claim: unknown key 'subjct'"),
    ('[[claim]]\nsubject = "a"\nmetric = "m"\nprinted = "3"\ndigits = "2"', "digits is '2', it must be int"),
    ('[[claim]]\nsubject = "a"\nmetric = "m"\nprinted = "3"\nexpect = "rounded"', "did you mean rounds"),
    ('[[claim]]\nsubject = "a"\nmetric = "m"\nprinted = "3"\nmax = 4', "do not go together"),
    (
        '[[claim]]\nsubject = "alexnt"\nmetric = "params"\nprinted = "3"',
        "unknown network 'alexnt': did you mean alexnet",
    ),
    ('[[claim]]\nsubject = "alexnet"\nmetric = "param"\nprinted = "3"', "unknown metric 'param': did you mean params"),
    (
        '[[claim]]\nsubject = "alexnet"\nplace = "conv9"\nmetric = "params"\nprinted = "3"',
        "unknown place in alexnet 'conv9': did you mean conv",
    ),
    ('[[claim]]\nsubject = "alexnet"\nmetric = "property"\nof = "magic"\nprinted = true', "unknown property 'magic'"),
    ('[[claim]]\nsubject = "alexnet"\nmetric = "params"\nprinted = "lots"', "claim 1: 'lots' is no number"),
    ('[[claim]]\nsubject = "alexnet"\nmetric = "output_shape"\nmax = 3', "a budget needs a metric that is a number"),
    (
        '[[claim]]\nsubject = "alexnet"\nmetric = "params"\nprinted = "3"\ninput = "3x"',
        "claim 1: '3x' is no input size",
    ),
]


@pytest.mark.parametrize(("text", "said"), BAD_FILES, ids=[said for _, said in BAD_FILES])
def test_a_bad_file_is_a_clear_error_naming_file_and_entry(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    result = run("verify", str(file), COLUMNS="400")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "mine.toml" in result.stderr


def test_an_unreadable_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in run("verify", str(tmp_path / "binary.toml")).stderr
    assert "cannot read" in run("verify", str(tmp_path)).stderr
    assert run("verify", "nowhere.toml").exit_code == 2


def test_keys_before_the_first_claim_hold_for_all() -> None:
    first, second = parse(
        'subject = "alexnet"\nmetric = "params"\nclaim = [{printed = 1}, {max = "2M", place = "fc6"}]', "f"
    )
    assert (first.subject, first.printed, first.number) == ("alexnet", "1", 1)
    assert (second.max, second.place, second.entry) == ("2M", "fc6", "f, claim 2")


# ---- every kind of claim can fail


ALTERED = [
    'metric = "params"\nprinted = "60965225"\nexpect = "exact"',
    'metric = "params"\nprinted = "60M"\nexpect = "rounds"',
    'metric = "params"\nprinted = "61M"\nexpect = "differs"',
    'metric = "params"\nprinted = "70M"\nexpect = "differs"\nright = "60965225"',
    'metric = "macs"\nprinted = "724406817"',
    'metric = "macs"\nplace = "conv2"\nprinted = "223948801"',
    'metric = "output_shape"\nplace = "conv1"\nprinted = "96x54x54"',
    'metric = "filters"\nplace = "conv2"\nprinted = "256 of 5x5x96"',
    'metric = "groups"\nplace = "conv2"\nprinted = "1"',
    'metric = "depth"\nprinted = "9"',
    'metric = "exists"\nplace = "conv6"\nprinted = true',
    'metric = "exists"\nplace = "conv5"\nprinted = false',
    'metric = "modules"\nof = "conv*"\nprinted = "6"',
    'metric = "params"\nagainst = "lenet5"\nprinted = "1015x"',
    'metric = "params"\nmax = "60M"',
    'metric = "params"\nmin = "61M"',
    'metric = "property"\nof = "dropout_acts_only_while_training"\nplace = "dropout6"\nprinted = false',
]


@pytest.mark.parametrize("claim", ALTERED)
def test_an_altered_claim_fails(claim: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'[[claim]]\nsubject = "alexnet"\n{claim}\n')
    result = run("verify", str(file))
    assert result.exit_code == 1, result.output
    assert "1 of 1 claims are not as expected" in " ".join(result.stderr.split())
    assert "NOT AS EXPECTED" in result.stdout


# ---- the documented claims


def test_every_metric_and_property_is_claimed_of_something() -> None:
    claims = documented()
    unused = (
        METRICS.keys()
        - {claim.metric for claim in claims}
        - {"flops", "padding", "stride", "kind", "registered_params", "backward_macs"}
    )
    assert unused <= {"input_shape", "output_elements", "strides", "weights"}
    assert PROPERTIES.keys() == {claim.of for claim in claims if claim.metric == "property"}


def test_the_documented_claims_can_be_filtered() -> None:
    some = rows(run("verify", "--subject", "vgg16", "--verdict", "exact", "-f", "csv"))
    assert {row["verdict"] for row in some} == {"exact"}
    assert some
    source = next(claim.source for claim in documented() if claim.file == "lecun-1998.toml")
    assert {row["source"] for row in rows(run("verify", "--source", source, "-f", "csv"))} == {source}
    for line in ("verify --subject nothing", "verify --verdict wrong"):
        assert run(*line.split()).exit_code == 2


def test_a_file_of_claims_about_ones_own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mynet.py").write_text(NET)
    Path("claims.toml").write_text(
        'subject = "mynet.py:Net"\ninput = "3x16x16"\n'
        'claim = [{metric = "params", printed = "242"}, {metric = "macs", max = "50k"},'
        ' {place = "conv", metric = "output_shape", printed = "32x14x14", settings = {width = 32}}]'
    )
    result = run("verify", "claims.toml")
    assert result.exit_code == 0, result.output
    # (3·3·3 + 1)·8 + (8 + 1)·2 and 14·14·8·27 + 8·2
    assert [verdict.value for verdict in check(parse(Path("claims.toml").read_text(), "f"))] == [
        "242",
        "42352",
        "32x14x14",
    ]
    Path("claims.toml").write_text(
        'subject = "mynet.py:fails"\ninput = "3x8x8"\nclaim = [{metric = "params", max = 1}]'
    )
    assert run("verify", "claims.toml").exit_code == 3


# ---- archcalc.verify


def test_the_library_verifies_documented_claims_and_files(tmp_path: Path) -> None:
    few = archcalc.verify(subject="vgg16", source="simonyan")
    assert {verdict.claim.subject for verdict in few if verdict.claim.against != "vgg16"} == {"vgg16"}
    assert all(verdict.ok for verdict in few)
    file = tmp_path / "mine.toml"
    file.write_text('subject = "alexnet"\nmetric = "params"\nclaim = [{max = "61M"}, {max = "60M"}]')
    verdicts = archcalc.verify(file)
    # 60,965,224 parameters
    assert [(verdict.verdict, verdict.ok) for verdict in verdicts] == [("within", True), ("over", False)]
    assert str(verdicts) + "\n" == run("verify", str(file), COLUMNS="100").stdout
    assert len(archcalc.verify(str(file), subject="alexnet")) == 2


def test_what_cannot_be_verified_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="claims is about that"):
        archcalc.verify(subject="nothing")
    with pytest.raises(UsageError, match="cannot read"):
        archcalc.verify(tmp_path / "nowhere.toml")
    file = tmp_path / "mine.toml"
    file.write_text('[[claim]]\nsubject = "alexnt"\nmetric = "params"\nmax = 3')
    with pytest.raises(UsageError, match=r"mine.toml, claim 1: unknown network 'alexnt'"):
        archcalc.verify(file)
