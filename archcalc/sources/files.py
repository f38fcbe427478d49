"""Python files and modules that a person names: what stands in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isclass
from pathlib import Path
from typing import Any

from torch import nn

from archcalc.values.errors import ModelError, UsageError, error_text, exits_raise, model_errors, unknown


def only_module_in(target: str) -> str:
    """`path/to/net.py:Net` for a file that defines one module class; UsageError, listing them, if it has more."""
    module = _import(target, target)
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    classes = [value.__name__ for value in own if isclass(value) and issubclass(value, nn.Module)]
    if len(classes) == 1:
        return f"{target}:{classes[0]}"
    if classes:
        what = f"holds more than one module class, {', '.join(classes)}"
        raise UsageError(f"{target} {what}; name the one to build: {target}:{classes[-1]}")
    functions = [value.__name__ for value in own if callable(value) and not isclass(value)]
    if functions:
        what = f"defines no module class; name the function that builds one: {target}:{functions[-1]}"
        raise UsageError(f"{target} {what}")
    raise UsageError(f"{target} defines no module class; name what is to be built: {target}:Net")


def attribute_of(target: str) -> Any:
    """What stands at a target such as `path/to/net.py:Net`; UsageError where there is nothing of that name."""
    place, _, name = target.rpartition(":")
    module = _import(target, place)
    named: Any = module
    with model_errors(target):
        for part in name.split("."):
            try:
                named = getattr(named, part)
            except AttributeError as error:
                public = [each for each in dir(named) if not each.startswith("_")]
                raise unknown(f"name in {place}", part, public) from error
            except (Exception, SystemExit) as error:  # what it imports only when it is asked for
                raise ModelError(f"{target} cannot be imported: {error_text(error)}") from error
    return named


def _import(target: str, place: str) -> Any:
    """The Python module at a path or of a dotted name, found from the working directory too."""
    file = Path(place)
    is_file = file.suffix == ".py"
    if not place:
        raise UsageError(f"{target} names no module; write package.module:factory or path/to/net.py:Net")
    if is_file and not file.is_file():
        raise UsageError(f"there is no file {place}; write path/to/net.py:Net")
    folder = str(file.resolve().parent if is_file else Path.cwd())
    sys.path.insert(0, folder)
    try:
        if not is_file:
            with exits_raise():
                return import_module(place)
        spec = spec_from_file_location(file.stem, file)
        if spec is None or spec.loader is None:
            raise UsageError(f"{place} is not a Python file")
        module = module_from_spec(spec)
        with _siblings_forgotten(file.resolve().parent), exits_raise():
            sys.modules[file.stem] = module  # dataclasses look their module up there
            spec.loader.exec_module(module)
        return module
    except UsageError:
        raise
    except ModuleNotFoundError as error:
        if not is_file and error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module {place}; write package.module:factory or path/to/net.py:Net"
            ) from error
        raise ModelError(f"{target} cannot be imported: {error_text(error)}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ModelError(f"{target} cannot be imported: {error_text(error)}") from error
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


@contextmanager
def _siblings_forgotten(folder: Path) -> Iterator[None]:
    """After it no module of that folder is left in sys.modules, so that another folder's of the same name is found."""
    before = dict(sys.modules)
    try:
        yield
    finally:
        for name, module in list(sys.modules.items()):
            place = Path(getattr(module, "__file__", None) or ".")
            if before.get(name) is not module and folder in place.parents and "site-packages" not in place.parts:
                del sys.modules[name]
                if name in before:
                    sys.modules[name] = before[name]
