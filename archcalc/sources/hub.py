"""Configurations of models: a `config.json` on the disk, in the cache of the Hugging Face hub, or on the hub itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from archcalc.sources.named import Named
from archcalc.sources.subject import imported
from archcalc.values.errors import UsageError, error_message
from archcalc.values.files import read_file

FILE = "config.json"
SECONDS = 5
"""How long the hub may take to answer whether it has a file."""


def config_of(model: Named) -> dict[str, Any]:
    """The configuration that a name stands for: of a file, of a folder that holds a config.json, or of a hub's model.

    Only the configuration is downloaded, and nothing where it is in the cache. Raises UsageError, saying what to do,
    where there is none or the hub cannot be reached.
    """
    name = model.library_name
    path = Path(name)
    if path.is_dir() and not (path / FILE).is_file():
        raise UsageError(f"there is no {FILE} in {name}")
    if path.is_file() or (path / FILE).is_file():
        return _read(path if path.is_file() else path / FILE)
    if name.endswith(".json") or path.is_absolute():
        raise UsageError(f"there is no file {name}; write {model.kind}/path/to/{FILE}")
    owner_and_name, folder = "/".join(path.parts[:2]), "/".join(path.parts[2:])
    return _read(_downloaded(model, owner_and_name, f"{folder}/{FILE}" if folder else FILE))


def _downloaded(model: Named, repository: str, file: str) -> Path:
    """Where the cache of the hub holds a file, which is downloaded unless it is there already."""
    hub = imported("huggingface_hub", model.target)
    try:
        cached = hub.try_to_load_from_cache(repository, file)
        if isinstance(cached, str):
            return Path(cached)
        hub.get_hf_file_metadata(hub.hf_hub_url(repository, file), timeout=SECONDS)  # tells at once, without retries
        return Path(hub.hf_hub_download(repository, file))
    except (hub.errors.HfHubHTTPError, hub.errors.HFValidationError) as error:
        reason = error_message(error).partition(" (Request ID")[0]
        raise UsageError(f"the hub has no {file} of {repository} for you: {reason}") from error
    except Exception as error:
        raise UsageError(
            f"{repository} is not in the cache of the hub, and the hub cannot be reached: download its {file} where it "
            f"can be, and write {model.kind}/path/to/{FILE}"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(read_file(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error_message(error) or 'nested too deeply'}") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path} is no configuration of a model, but a {type(config).__name__}")
    return config
