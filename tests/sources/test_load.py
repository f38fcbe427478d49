"""What a name leads to, and what is said where it leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.sources.files import attribute_of
from archcalc.values.errors import ModelError, UsageError


@pytest.fixture
def lazy(tmp_path: Path) -> Path:
    """A file that imports what it has only when it is asked for."""
    file = tmp_path / "lazy.py"
    file.write_text(
        "def __getattr__(name):\n"
        "    if name == 'Net':\n"
        "        import a_library_that_is_not_there\n"
        "    raise AttributeError(name)\n"
    )
    return file


def test_a_lazy_import_that_fails_is_said_with_its_reason(lazy: Path) -> None:
    with pytest.raises(ModelError, match=r"lazy.py:Net cannot be imported: .*a_library_that_is_not_there"):
        attribute_of(f"{lazy}:Net")


def test_a_name_that_a_lazy_module_does_not_have(lazy: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown name in .*lazy.py 'Other'"):
        attribute_of(f"{lazy}:Other")
