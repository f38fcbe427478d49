"""The committed pictures are what is drawn now, and the README shows each in light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pictures import FOLDER, PICTURES, THEMES, drawn

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PICTURES)
def test_the_committed_pictures_are_fresh(name: str, theme: str) -> None:
    pytest.importorskip("vl_convert", reason="vl-convert is not installed; pip install 'archcalc[pictures]'")
    assert (FOLDER / f"{name}-{theme}.svg").read_text(encoding="utf-8") == drawn(name, theme), "run: make pictures"


def test_the_readme_shows_every_picture_in_light_and_dark_with_words_for_it() -> None:
    shown = re.findall(
        r'srcset="docs/pictures/([\w-]+)-dark\.svg">\n<img alt="[^"]{40,}" src="docs/pictures/([\w-]+)-light\.svg"',
        README.read_text(encoding="utf-8"),
    )
    assert sorted(shown) == sorted((name, name) for name in PICTURES)
