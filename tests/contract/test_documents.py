"""The pages fit together: links lead somewhere, examples are shown, diffs are of today's files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LANGUAGES = {"console", "diff", "python", "sh", "text", "toml"}

every_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", read(page), flags=re.M | re.S)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(file), target


@every_page
def test_lines_of_prose_fit_and_code_has_a_language(page: Path) -> None:
    assert [line for line in prose(page).splitlines() if len(line) > 120 and not line.startswith("|")] == []
    fences = re.findall(r"^```(.*)$", read(page), re.M)
    assert set(fences[::2]) <= LANGUAGES
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize("page", DOCS, ids=[page.name for page in DOCS])
def test_a_page_opens_with_its_question_and_a_command(page: Path) -> None:
    assert re.match(r"# [^\n]+\n\n\*\*[^*]+\?\*\*\n\n```console\n\$ archcalc ", read(page))


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").splitlines()) <= 250


def test_the_index_leads_to_every_page_and_example() -> None:
    index = read(ROOT / "docs" / "README.md")
    missing = [page.name for page in DOCS if f"({page.name})" not in index and page.name != "README.md"]
    examples = [*EXAMPLES, *(ROOT / "examples").glob("*.ipynb")]
    assert missing + [file.name for file in examples if f"(../examples/{file.name})" not in index] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_an_example_says_what_it_shows_and_is_run_by_a_page(example: Path) -> None:
    """tests/contract/test_readme.py runs the commands of the pages."""
    assert re.match(r'"""Shows: .*\."""\n', read(example))
    commands = [line for page in DOCS for block in blocks(page, "console") for line in block.splitlines()]
    runs = re.compile(rf"\$ (python|pytest -q) examples/{example.name}\b")
    assert any(map(runs.match, commands))


@every_page
def test_what_a_page_says_to_make_or_install_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.M))
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    named = {line.split()[1] for line in lines if line.startswith("make ")}
    assert named | set(re.findall(r"`make ([a-z]+)`", prose(page))) <= targets
    extras = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["optional-dependencies"]
    assert set(re.findall(r"pip install .*'\.\[([a-z]+)\]'", "\n".join(lines))) <= set(extras)


def without_indent(text: str) -> str:
    return re.sub(r"^ +", "", text, flags=re.M)


HUNKS = [
    (file, "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in "+ "))
    for diff in blocks(ROOT / "CONTRIBUTING.md", "diff")
    for file, hunks in re.findall(r"^\+\+\+ b/(\S+)\n(.*?)(?=^--- |\Z)", diff, re.M | re.S)
    for hunk in re.split(r"^@@.*\n", hunks, flags=re.M)[1:]
]


@pytest.mark.parametrize(("file", "after"), HUNKS, ids=[file for file, _ in HUNKS])
def test_a_diff_is_of_what_stands_in_the_file(file: str, after: str) -> None:
    assert without_indent(after) in without_indent(read(ROOT / file))
