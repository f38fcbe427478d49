"""A Python file as it was at a revision of its git repository, in a temporary folder, to be imported from there.

Nothing of the repository is run to get it there: files are read with `git cat-file`, without filters and hooks, and
the working tree and the index stay as they are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from archcalc.values.errors import ArchcalcError, UsageError

LARGEST_DATA = 2**20
"""Bytes that a file beside the Python file may have to be copied, such as a configuration that it reads."""

_TARGET = re.compile(r"(?P<place>.+?\.py)(?P<rest>[:?].*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Revision:
    """A target such as `net.py:Net` at a commit; `name` is what the user calls the commit."""

    target: str
    name: str
    commit: str
    repository: Path
    file: PurePosixPath


def is_file_target(target: object) -> bool:
    """Whether a target names a Python file, which may have revisions."""
    return isinstance(target, str) and _TARGET.fullmatch(target) is not None


def revision(name: str, target: str) -> Revision:
    """The target at a revision; UsageError without git, a repository around the file, or a revision of that name."""
    match = _TARGET.fullmatch(target)
    if match is None:
        raise UsageError(f"a revision is of a Python file, such as net.py:Net, not of {target}")
    place = Path(os.path.abspath(match["place"]))  # links stay: git has them under their own name
    folder = next(parent for parent in place.parents if parent.is_dir())
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(f"{match['place']} lies in no git repository, so {name} cannot be a revision of it")
    repository = Path(os.fsdecode(top.rstrip(b"\n"))).resolve()
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:
        raise UsageError(f"'{name}' is no revision of the repository that {match['place']} lies in")
    file = PurePosixPath((folder.resolve() / place.relative_to(folder)).relative_to(repository).as_posix())
    return Revision(target, name, commit.decode().strip(), repository, file)


@contextmanager
def checked_out(at: Revision) -> Iterator[str]:
    """Within it the target stands in a temporary folder, with the Python files of its repository, under the name given.

    Modules that the file imports from its repository come from that folder too.
    """
    with TemporaryDirectory(prefix="archcalc-") as name:
        folder = Path(name).resolve()
        _copy(at, folder)
        if not (folder / at.file).is_file():
            raise UsageError(f"there is no file {at.file} at {at.name}")
        moved = str(folder / at.file)
        match = _TARGET.fullmatch(at.target)
        assert match is not None
        with _imports_from(folder, at.repository):
            try:
                yield moved + (match["rest"] or "")
            except ArchcalcError as error:
                error.args = (f"at {at.name}: {str(error).replace(moved, match['place'])}",)
                raise


def _copy(at: Revision, folder: Path) -> None:
    """Write the Python files of the repository, and small files beside or below the target's file."""
    listing = _git(at.repository, "ls-tree", "-r", "-l", "-z", "--full-tree", at.commit) or b""
    blobs: list[tuple[bytes, PurePosixPath]] = []
    for entry in filter(None, listing.split(b"\0")):
        head, _, raw = entry.partition(b"\t")
        mode, _, blob, size = head.split()
        path = PurePosixPath(os.fsdecode(raw))
        is_beside = path.is_relative_to(at.file.parent) and size.isdigit() and int(size) <= LARGEST_DATA
        is_safe = not path.is_absolute() and ".." not in path.parts
        if mode.startswith(b"100") and is_safe and (path.suffix == ".py" or is_beside):
            blobs.append((blob, path))
    content = _git(at.repository, "cat-file", "--batch", given=b"".join(blob + b"\n" for blob, _ in blobs)) or b""
    start = 0
    for blob, path in blobs:
        end = content.index(b"\n", start)
        words = content[start:end].split()
        if words[:2] != [blob, b"blob"]:
            raise UsageError(f"git has not all files of {at.name}: {path} is missing")
        start = end + 1 + int(words[2]) + 1
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content[end + 1 : start - 1])


@contextmanager
def _imports_from(folder: Path, repository: Path) -> Iterator[None]:
    """Within it Python finds the repository's modules in the copy; afterwards it forgets those."""
    before, path = dict(sys.modules), list(sys.path)
    for name, module in before.items():
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name.partition(".")[0] in ("archcalc", "__main__"):
            continue
        if Path(file).is_relative_to(repository) and (folder / Path(file).relative_to(repository)).is_file():
            del sys.modules[name]
    places = [Path(entry or ".").resolve() for entry in path]
    copies = [folder / place.relative_to(repository) for place in places if place.is_relative_to(repository)]
    sys.path[:] = [*(str(copy) for copy in copies if copy.is_dir()), *path]
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and Path(file).is_relative_to(folder):
                del sys.modules[name]
        sys.modules.update({name: module for name, module in before.items() if name not in sys.modules})


def _git(folder: Path, *words: str, given: bytes = b"") -> bytes | None:
    """What git prints in a folder, None where it fails; UsageError where there is no git."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], input=given, capture_output=True, env=environment, check=False
        )
    except OSError as error:
        raise UsageError(f"git is needed for a revision of a file: {error.strerror or error}") from error
    return done.stdout if done.returncode == 0 else None
