"""Models by name: those that plugins bring, and the user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from antiphon.generator import Casting, GeneratorInfo
from antiphon.models.library import ModelLibrary, is_model_path, user_model_folder
from antiphon.plugins.host import load_plugins


def find_model(name_or_path: str) -> Path:
    """The file of a model that a preset names. Raises ModelError if there is none, or more than one."""
    return ModelLibrary(_brought()).find(name_or_path)


def is_installed(model: str) -> bool:
    """Whether `model` is a name, or a file among those that generators bring and the user's own."""
    if not is_model_path(model):
        return True
    path = Path(model).expanduser().resolve()
    return any(path.is_relative_to(folder.resolve()) for folder in (*_brought(), user_model_folder()))


def _brought() -> list[Path]:
    folders = [registered.info.models for registered in load_plugins().generators.values()]
    return [folder for folder in folders if folder is not None]


def with_model_file(casting: Casting, info: GeneratorInfo) -> Casting:
    """`casting` with the path of the model that it names, if the generator is one that plays models.

    Raises:
        ModelError: there is no such model, or more than one.
    """
    if casting.model is None or info.models is None:
        return casting
    return replace(casting, model=str(find_model(casting.model)))
