"""Work shared out among processes: one a core, forked where that is possible, so that none imports torch anew."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import TypeVar

from archcalc.values.errors import ArchcalcError, ModelError

Item = TypeVar("Item")
Result = TypeVar("Result")
Done = Callable[[str], None]

MOST = 8
"""The most processes: the deepest network takes an eighth of the zoo's time, so more would end no sooner."""

SLOWEST = ("preresnet1001", "resnet1202", "vgg16")
"""The longest tasks: they start first, so that none of them runs alone at the end."""


def in_processes(
    function: Callable[[Item], Result], items: Mapping[str, Item], done: Done = lambda name: None
) -> list[Result]:
    """`function` of every item, in the order of the items; `done` is called with the name of each that is finished.

    Where there is one core or one item, or processes cannot be had, all of it happens in this process. An error of
    `function` is raised here, that of the first item where there are several. Raises ArchcalcError if a process dies.
    """
    workers = min(_cores(), len(items), MOST)
    if workers > 1:
        with suppress(_NoProcessError), _pool(workers) as pool, _none_left_behind():
            return _results(pool, function, items, done)
    results = []
    for name, item in items.items():
        results.append(function(item))
        done(name)
    return results


class _NoProcessError(Exception):
    """No process can be started, or this system has no semaphores for them."""


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _method() -> str:
    return "fork" if sys.platform == "linux" else "spawn"


def _pool(workers: int) -> ProcessPoolExecutor:
    method = _method()
    if method == "fork":
        import archcalc.analysis  # noqa: F401  torch, once for all of them

        gc.freeze()  # a collection in a worker would copy every page that it walks over
    try:
        return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_prepare)
    except (OSError, ImportError, NotImplementedError) as error:
        raise _NoProcessError from error


def _submitted(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: Mapping[str, Item]
) -> dict[str, Future[Result]]:
    order = sorted(items, key=lambda name: name not in SLOWEST)
    try:
        with warnings.catch_warnings():
            # numpy's threads, which wait for work and see to forks themselves
            warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
            return {name: pool.submit(_call, function, items[name]) for name in order}
    except OSError as error:
        raise _NoProcessError from error


def _results(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: Mapping[str, Item], done: Done
) -> list[Result]:
    try:
        futures = _submitted(pool, function, items)
        names = {future: name for name, future in futures.items()}
        for future in as_completed(names):
            done(names[future])
        return [futures[name].result() for name in items]
    except BrokenProcessPool as error:
        raise _death() from error


def _death() -> ArchcalcError:
    return ArchcalcError(
        "a process that this one had started was killed, for want of memory perhaps; "
        "on one core there is only one: taskset -c 0 archcalc ..."
    )


@contextmanager
def _none_left_behind() -> Iterator[None]:
    """Ends, where something goes wrong within it, the processes that were started within it."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for worker in set(multiprocessing.active_children()) - before:
            worker.kill()
        raise


def _prepare() -> None:
    """In a worker: one thread, as there is a worker for each core; Ctrl-C is for the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    import torch

    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent can tell its workers nothing, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    try:
        return function(item)
    except ModelError as error:
        raise ModelError(str(error)) from None  # without the rows so far, thousands perhaps
