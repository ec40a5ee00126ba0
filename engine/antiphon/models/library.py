"""Where models are found by name: the folders that generators bring, and the user's own. It runs no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from antiphon.models.card import Card, ModelError, read_any_card
from antiphon.spelling import did_you_mean

_SUFFIX: Final = ".onnx"


@dataclass(frozen=True, slots=True)
class ModelListing:
    """One line of the library's table of contents."""

    name: str
    """What `find` finds it by: the file's name without `.onnx`."""
    path: Path
    origin: str
    """`yours`, or the name of the folder that a generator brings."""
    card: Card | None
    """What the file says of itself; None if it cannot be used."""
    problem: str
    """Why it cannot be used, or empty."""


def user_model_folder() -> Path:
    """Where a user's own models live; it need not exist."""
    return user_data_path("antiphon") / "models"


class ModelLibrary:
    """All models that can be called by name; the user's shadow those that generators bring."""

    def __init__(self, folders: Sequence[Path], user_folder: Path | None = None) -> None:
        """`folders`: those that generators bring. `user_folder`: by default `user_model_folder()`."""
        self._user_folder = (user_folder or user_model_folder()).absolute()
        self._folders = tuple(dict.fromkeys(folder.absolute() for folder in folders))

    def listings(self) -> tuple[ModelListing, ...]:
        """Everything that can be called by name, sorted; names that two generators share come twice."""
        return tuple(self._listing(name, path) for name, paths in sorted(self._candidates().items()) for path in paths)

    def find(self, name_or_path: str) -> Path:
        """The file of a name; a path (with a slash, or ending in `.onnx`) is taken as it is.

        Raises:
            ModelError: no such file or name, or two generators bring this name.
        """
        if "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(_SUFFIX):
            path = Path(name_or_path).expanduser()
            if not path.is_file():
                raise ModelError(f"there is no model file '{path}'; `antiphon models` lists those there are")
            return path
        candidates = self._candidates()
        paths = candidates.get(name_or_path, [])
        if not paths:
            known = ", ".join(sorted(candidates)) or f"none; put files into {self._user_folder}"
            raise ModelError(f"no model '{name_or_path}'{did_you_mean(name_or_path, candidates)} there are: {known}")
        if len(paths) > 1:
            choices = " or ".join(str(path) for path in paths)
            raise ModelError(f"model '{name_or_path}' is ambiguous; give one of the paths: {choices}")
        return paths[0]

    def _candidates(self) -> dict[str, list[Path]]:
        """Files by name: the user's, or else all that generators bring."""
        brought: dict[str, list[Path]] = {}
        for folder in self._folders:
            for path in _models_in(folder):
                brought.setdefault(path.stem, []).append(path)
        return brought | {path.stem: [path] for path in _models_in(self._user_folder)}

    def _listing(self, name: str, path: Path) -> ModelListing:
        origin = "yours" if path.parent == self._user_folder else path.parent.name
        try:
            return ModelListing(name, path, origin, read_any_card(path), "")
        except ModelError as error:
            return ModelListing(name, path, origin, None, str(error))


def _models_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{_SUFFIX}") if path.is_file())
