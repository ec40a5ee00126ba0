"""From a model file to a player: what a plugin that brings a model calls to make one. It knows no generator by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from antiphon.codec import codec_named
from antiphon.generator import Casting
from antiphon.grid_codec import GridCodec
from antiphon.model_card import ModelError, read_any_card
from antiphon.model_library import ModelLibrary
from antiphon.plugins import load_plugins
from antiphon.step_model import load_model
from antiphon.token_generator import TokenGenerator


def make_token_player(
    casting: Casting, own: Path, codec_name: str, elsewhere: Mapping[str, str] | None = None
) -> TokenGenerator:
    """A player of the model that `casting` names, by path or by the name `antiphon models` lists; else of `own`.

    Args:
        own: the model file that the generator brings.
        codec_name: what its models speak; any architecture will do.
        elsewhere: by codec, the generator that plays models of it, to be named to who chose the wrong one.

    Raises:
        ModelError: there is no such file, it cannot be used, or it speaks another codec.
    """
    path = chosen_model(casting, own, codec_name, elsewhere)
    model = load_model(path, device=casting.device, codec=codec_named(codec_name))
    tells_velocity = codec_name != GridCodec.name
    return TokenGenerator(casting.seed, partial(codec_named, codec_name), model, tells_velocity=tells_velocity)


def chosen_model(casting: Casting, own: Path, codec_name: str, elsewhere: Mapping[str, str] | None = None) -> Path:
    """The file of the model that `casting` names, else `own`. Arguments and errors are those of `make_token_player`."""
    path = own if casting.model is None else find_model(casting.model)
    spoken = read_any_card(path).codec
    if spoken != codec_name:
        other = (elsewhere or {}).get(spoken)
        hint = f": choose the generator '{other}' for it" if other else ""
        raise ModelError(f"model '{path}' speaks the codec '{spoken}', this generator '{codec_name}'{hint}")
    return path


def find_model(name_or_path: str) -> Path:
    """The file of a model that a preset names. Raises ModelError if there is none, or more than one."""
    folders = [registered.info.models for registered in load_plugins().generators.values()]
    return ModelLibrary([folder for folder in folders if folder is not None]).find(name_or_path)
