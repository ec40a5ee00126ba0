"""The folder of a training run: settings, and checkpoints that survive being killed. It trains nothing."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from antiphon.errors import AntiphonError

LAST: Final = "last.pt"
"""The newest checkpoint, with all that is needed to go on."""
BEST: Final = "best.pt"
"""The checkpoint with the lowest validation NLL, weights alone."""
SAVE_SECONDS: Final = 45.0
"""Between two checkpoints of a run; a kill loses no more."""


class RunFolder:
    """Where a run keeps what it has."""

    def __init__(self, path: Path) -> None:
        """Raises AntiphonError if the folder cannot be made."""
        self.path = path
        self._last_step: int | None = None
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AntiphonError(
                f"{str(path)!r} cannot be made ({error.strerror}); choose another place with --out"
            ) from error

    def write_settings(self, settings: Mapping[str, Any], device: torch.device) -> None:
        """Keep all settings in `run.json`, and what the run is computed on."""
        where = {
            "device": str(device),
            "threads": torch.get_num_threads(),
            "machine": platform.processor() or platform.machine(),
            "torch": torch.__version__,
        }
        _replace(self.path / "run.json", json.dumps({**settings, **where}, indent=2, default=str).encode() + b"\n")

    def load_last(self, architecture: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
        """The newest checkpoint, if there is one.

        Raises:
            AntiphonError: it cannot be read, or is not of a model of this `architecture` with these `settings`.
        """
        path = self.path / LAST
        if not path.exists():
            return None
        last = load_checkpoint(path)
        if (last["architecture"], last["settings"]) != (architecture, settings):
            raise AntiphonError(
                f"{str(self.path)!r} holds a run of another model ({last['architecture']}, {last['settings']}); "
                "choose another place with --out, or the same settings"
            )
        self._last_step = last["step"]
        return last

    def kept(self) -> str:
        """What is there for whoever ends a run, in words."""
        if self._last_step is None:
            return f"ended before the first step; nothing is kept in {self.path}"
        goes_on = f"{self.path / LAST} has all of step {self._last_step}: the same command goes on from there"
        best = self.path / BEST
        if not best.exists():
            return f"ended; {goes_on}; there is no {BEST} yet, as nothing has been judged"
        return f"ended; {goes_on}; {best} has the best weights so far, to evaluate, export and play"

    def save_last(self, checkpoint: Mapping[str, Any]) -> None:
        """Keep `checkpoint`; whatever happens meanwhile, the file is the old one or the new one, whole."""
        _save(self.path / LAST, checkpoint)
        self._last_step = checkpoint["step"]

    def save_best(self, checkpoint: Mapping[str, Any]) -> None:
        """Keep `checkpoint` as the best so far."""
        _save(self.path / BEST, checkpoint)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint in `path`. Raises AntiphonError if it is none."""
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever a broken file makes it stumble over.
        raise AntiphonError(
            f"{str(path)!r} is no checkpoint ({type(error).__name__}: {error}); "
            f"name the {BEST} or {LAST} of a run's folder"
        ) from error
    if not isinstance(loaded, dict) or not {"architecture", "settings", "codec", "model"} <= loaded.keys():
        raise AntiphonError(f"{str(path)!r} is no checkpoint of Antiphon; name the {BEST} or {LAST} of a run's folder")
    return loaded


def _save(path: Path, checkpoint: Mapping[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    torch.save(dict(checkpoint), fresh)
    fresh.replace(path)


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
