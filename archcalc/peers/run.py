"""Runs another tool on a model, and leaves neither the model nor torch changed.

Each runs on a copy of the model that nobody else sees, since some leave hooks, buffers or replaced functions of torch
behind. What they print on the way goes to stderr.
"""

from __future__ import annotations

import logging
import sys
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from hashlib import new as new_hash
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from archcalc.peers.peer import Args, Kwargs, Peer, PeerError


def run_tool(peer: Peer, module: nn.Module, args: Args, kwargs: Kwargs) -> int:
    """The number that a tool prints for one forward pass in eval mode, in its own unit.

    Raises PeerError with the reason where there is none.
    """
    if not is_installed(peer):
        raise PeerError("not installed")
    with _preserve_torch(), _quiet():
        try:
            return int(peer.run(deepcopy(module).eval(), args, kwargs))
        except PeerError:
            raise
        except Exception as error:  # whatever a tool raises on a model is what it has to say
            reason = " ".join(str(error).split())
            raise PeerError(f"it fails: {type(error).__name__}: {reason}"[:200]) from error


def is_installed(peer: Peer) -> bool:
    """Whether a tool can be run: the packages that it needs are there, and its module is the one that its own brings.

    thop and ultralytics-thop both bring a module `thop`, so finding a module of that name is not enough.
    """
    try:
        own, *_ = [distribution(package) for package in peer.packages]
    except PackageNotFoundError:
        return False
    module = find_spec(peer.module)
    return module is not None and module.origin is not None and _brings(own, peer.module, Path(module.origin))


def _brings(package: Distribution, module: str, file: Path) -> bool:
    """Whether the file that a module is imported from is the one that the package's record lists."""
    for record in package.files or ():
        if record.as_posix() == f"{module}/__init__.py":
            if record.hash is None:
                return True
            checksum = urlsafe_b64encode(new_hash(record.hash.mode, file.read_bytes()).digest()).decode()
            return checksum.rstrip("=") == record.hash.value
    return True  # installed from a folder: there is no record of its files


@contextmanager
def _preserve_torch() -> Iterator[None]:
    """Within it torch's functions may be replaced; after it they are as before, and so is the random state."""
    namespaces = (torch, nn.functional, torch.Tensor)
    before = [dict(vars(namespace)) for namespace in namespaces]
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)
        for namespace, names in zip(namespaces, before, strict=True):
            for name, value in names.items():
                if vars(namespace).get(name) is not value:
                    setattr(namespace, name, value)
            for name in set(vars(namespace)) - set(names):
                if namespace is torch.Tensor:  # a method of a base class that was replaced
                    delattr(namespace, name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within it stdout is stderr, and neither warnings nor logs of tools are shown."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
