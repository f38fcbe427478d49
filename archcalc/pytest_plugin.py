"""Claims as tests: `pytest --archcalc-claims FILE` makes each claim of a file a test of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from archcalc.formats.safe import one_line
from archcalc.values.errors import ArchcalcError

if TYPE_CHECKING:
    from archcalc.values.claim import Claim
    from archcalc.values.report import Report

_REPORTS = pytest.StashKey[dict[Any, "Report"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--archcalc-claims` and `--archcalc-trust`."""
    group = parser.getgroup("archcalc")
    group.addoption("--archcalc-trust", action="store_true", help="let the claims name any code")
    group.addoption(
        "--archcalc-claims",
        action="append",
        default=[],
        metavar="FILE",
        help="check the claims of this TOML file, each as a test; may be given several times",
    )


@pytest.fixture
def archcalc() -> ModuleType:
    """The archcalc package: `archcalc.analyze(net, (1, 3, 224, 224)).total("macs")`."""
    import archcalc

    return archcalc


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds a test for each claim of the files that were named."""
    config.stash[_REPORTS] = {}
    for name in config.getoption("--archcalc-claims"):
        file = ClaimsFile.from_parent(session, path=Path(name).resolve())
        try:
            items += file.collect()
        except ArchcalcError as error:
            raise pytest.UsageError(one_line(str(error))) from error


class ClaimsFile(pytest.File):
    """A file of claims."""

    def collect(self) -> Iterator[ClaimItem]:
        """One test a claim."""
        from archcalc.claims.read import read

        for claim in read(self.path):
            said = [claim.subject, claim.place, claim.metric, claim.of, claim.printed, claim.min, claim.max]
            name = "-".join([str(claim.number), *filter(None, said)])
            yield ClaimItem.from_parent(self, name=one_line(name).replace(" ", "-"), claim=claim)


class ClaimItem(pytest.Item):
    """One claim; it fails where its verdict is not the expected one."""

    def __init__(self, *, claim: Claim, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.claim = claim

    def runtest(self) -> None:
        """Checks the claim."""
        from archcalc.claims.check import check

        trust = self.config.getoption("--archcalc-trust")
        (verdict,) = check([self.claim], self.config.stash[_REPORTS], trust=trust)
        if not verdict.ok:
            raise ClaimError(f"{verdict.problem}: computed {verdict.value}, verdict {verdict.verdict}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """One line in place of a traceback through archcalc, for what a claim may bring about."""
        if isinstance(excinfo.value, (ClaimError, ArchcalcError)):
            return one_line(f"{self.claim.entry}: {excinfo.value}")
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Path, None, str]:
        """File and name."""
        return self.path, None, self.name


class ClaimError(Exception):
    """A verdict that is not the expected one."""
