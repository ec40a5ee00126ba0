"""Models by name: those that plugins bring, and the user's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from antiphon.generator import Casting, GeneratorInfo
from antiphon.models.library import ModelLibrary
from antiphon.plugins.host import load_plugins


def find_model(name_or_path: str) -> Path:
    """The file of a model that a preset names. Raises ModelError if there is none, or more than one."""
    folders = [registered.info.models for registered in load_plugins().generators.values()]
    return ModelLibrary([folder for folder in folders if folder is not None]).find(name_or_path)


def with_model_file(casting: Casting, info: GeneratorInfo) -> Casting:
    """`casting` with the path of the model that it names, if the generator is one that plays models.

    Raises:
        ModelError: there is no such model, or more than one.
    """
    if casting.model is None or info.models is None:
        return casting
    return replace(casting, model=str(find_model(casting.model)))
