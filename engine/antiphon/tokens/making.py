"""From a model file to a player: what a plugin that brings a model calls to make one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from antiphon.generator import Casting
from antiphon.models.card import ModelCard, ModelError, read_any_card
from antiphon.models.loading import load_model
from antiphon.tokens.beating import BeatingModel
from antiphon.tokens.codec import Codec
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.generator import TokenGenerator
from antiphon.tokens.grid_codec import GridCodec


def make_token_player(
    casting: Casting, own: Path | None, codec_name: str, elsewhere: Mapping[str, str] | None = None
) -> TokenGenerator:
    """A player of the model that `casting` names, else of `own`.

    Args:
        own: the model file that the generator brings; None if it brings none.
        codec_name: what its models speak; any architecture will do.
        elsewhere: by codec, the generator that plays models of it, to be named to who chose the wrong one.

    Raises:
        ModelError: there is no such file, or none is named; it cannot be used, or it speaks another codec.
    """
    path = chosen_model(casting, own, codec_name, elsewhere)
    model = BeatingModel(load_model(path, device=casting.device), casting.beat)
    _check_codec(model.card, codec_named(codec_name))
    tells_velocity = codec_name != GridCodec.name
    return TokenGenerator(casting.seed, partial(codec_named, codec_name), model, tells_velocity=tells_velocity)


def chosen_model(
    casting: Casting, own: Path | None, codec_name: str, elsewhere: Mapping[str, str] | None = None
) -> Path:
    """The file of the model that `casting` names, else `own`. Arguments and errors are those of `make_token_player`."""
    path = own if casting.model is None else Path(casting.model)
    if path is None:
        raise ModelError(
            f"model is missing: this generator brings none; name one that speaks the codec '{codec_name}', by name or "
            "path, as `model` in the preset or with --model (`antiphon models` lists those there are)"
        )
    spoken = read_any_card(path).codec
    if spoken != codec_name:
        other = (elsewhere or {}).get(spoken)
        hint = f": choose the generator '{other}' for it" if other else ""
        raise ModelError(f"model '{path}' speaks the codec '{spoken}', this generator '{codec_name}'{hint}")
    return path


def _check_codec(card: ModelCard, codec: Codec) -> None:
    if (card.codec, card.codec_version) != (codec.name, codec.version):
        raise ModelError(
            f"'{card.path}' speaks the codec {card.codec} (version {card.codec_version}); "
            f"wanted: {codec.name} (version {codec.version})"
        )
    if card.vocabulary != codec.vocabulary:
        raise ModelError(
            f"'{card.path}' has {card.vocabulary} tokens; the codec {codec.name} has {codec.vocabulary}: "
            "export its checkpoint again"
        )
