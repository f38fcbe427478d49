"""The pytest plugin: claims as tests of their own, and the fixture."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CLAIMS = """
subject = "lenet5"
claim = [{metric = "params", printed = "60000"}, {metric = "params", printed = "60001"}, {metric = "macs", max = "1M"}]
"""


def test_each_claim_is_a_test(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", budget=CLAIMS)
    result = pytester.runpytest_inprocess("--archcalc-claims", "budget.toml", "-v", "-p", "no:xdist")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["*1-lenet5-params-60000 PASSED*", "*2-lenet5-params-60001 FAILED*", "*3-lenet5-macs-1M PASSED*"]
    )
    result.stdout.fnmatch_lines(["*claim 2: the print and the computed value differ: computed 60000, verdict differs"])


def test_a_claim_cannot_steer_the_terminal(pytester: pytest.Pytester) -> None:
    entry = '{subject = "lenet5", metric = "params", printed = "60001", place = "\\u001b[2J\\u202e"}'
    pytester.makefile(".toml", hostile=f"claim = [{entry}]", broken='"\\u001b[2J" = 1\n[[claim]]')
    for name in ("hostile", "broken"):
        result = pytester.runpytest_inprocess("--archcalc-claims", f"{name}.toml", "-v", "-p", "no:xdist")
        assert result.ret != 0
        assert not {"\x1b", "\u202e"} & {*result.stdout.str(), *result.stderr.str()}


def test_the_fixture_is_archcalc(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_budget(archcalc): assert archcalc.analyze('lenet5').total('params') == 60000")
    pytester.runpytest_inprocess("-p", "no:xdist").assert_outcomes(passed=1)


def test_a_bad_file_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", bad="[[claim]]\nsubjct = 'x'")
    result = pytester.runpytest_inprocess("--archcalc-claims", "bad.toml", "-p", "no:xdist")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*bad.toml, claim 1: unknown key 'subjct'*"])
