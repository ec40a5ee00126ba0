"""Where models are found by name: the folders that generators bring, and the user's own. It runs no model."""

from __future__ import annotations

import shutil
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


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that is among the user's now."""

    name: str
    path: Path
    card: Card
    shadows: str | None
    """Origin of the model that had this name until now; None if there was none."""


def user_model_folder() -> Path:
    """Where a user's own models live; it need not exist."""
    return user_data_path("antiphon") / "models"


def is_model_path(name_or_path: str) -> bool:
    """Whether it is taken for a file, and not for a name."""
    return "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(_SUFFIX)


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
        if is_model_path(name_or_path):
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

    def install(self, file: Path, name: str | None = None, *, replace: bool = False) -> Installed:
        """Copy `file` among the user's models, as `name`, by default its own.

        Raises:
            ModelError: it is no model that can be played, the name is none or taken, or it cannot be copied.
        """
        name = file.stem if name is None else name
        if file.suffix != _SUFFIX:
            hint = "; make a model of a checkpoint with `antiphon export`" if file.suffix == ".pt" else ""
            raise ModelError(f"'{file}' is no model file; allowed: one that ends in {_SUFFIX}{hint}")
        if not name.strip() or name.startswith(".") or any(sign in name for sign in "/\\") or name.endswith(_SUFFIX):
            raise ModelError(f"a model cannot be called '{name}'; allowed: a name without / and without {_SUFFIX}")
        card = read_any_card(file)
        target = self._user_folder / f"{name}{_SUFFIX}"
        before = self._candidates().get(name, [])
        if target in before and not replace and not file.samefile(target):
            raise ModelError(f"'{target}' is there already; give --replace, or another --name")
        shadowed = [path.parent.name for path in before if path != target]
        fresh = target.with_suffix(".new")
        try:
            self._user_folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, fresh)
            fresh.replace(target)
        except OSError as error:
            raise ModelError(f"'{file}' cannot be copied to '{target}' ({error.strerror})") from error
        return Installed(name, target, card, shadowed[0] if shadowed else None)

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
