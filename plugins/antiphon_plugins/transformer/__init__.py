"""The Transformers of tokens: one in free time with touch and pedal; one to the beat, of a model that you bring."""

from __future__ import annotations

from pathlib import Path

from antiphon import Casting, Generator, GeneratorInfo
from antiphon.tokens import TOKEN_CONTROLS
from antiphon_plugins.codecs import PLAYERS

_FOLDER = Path(__file__).parent

INFO = GeneratorInfo(
    name="transformer",
    summary="a Transformer that has learnt from performances: free time, expressive touch",
    controls=TOKEN_CONTROLS,
    latency="heavy",
    follows="free",
    honours=frozenset({"range", "scale", "polyphony"}),
    models=_FOLDER,
)

GRID_INFO = GeneratorInfo(
    name="grid-transformer",
    summary="a model of yours that has learnt from scores: plays to the beat, in sixteenths",
    controls=TOKEN_CONTROLS,
    latency="heavy",
    follows="beat",
    honours=frozenset({"range", "scale", "polyphony"}),
    models=_FOLDER,
)


def make(casting: Casting) -> Generator:
    """Make a player in free time. `casting.model`: a model of the performance codec; None for the shipped one.

    Raises:
        ModelError: the model cannot be used, or speaks another codec.
    """
    from antiphon.tokens import make_token_player  # here, so that listing the generators stays cheap

    return make_token_player(casting, _FOLDER / "performance.onnx", "performance", PLAYERS)


def make_grid(casting: Casting) -> Generator:
    """Make a player to the beat. `casting.model`: a model of the grid codec; there is none of its own.

    Raises:
        ModelError: no model is named, it cannot be used, or it speaks another codec.
    """
    from antiphon.tokens import make_token_player

    return make_token_player(casting, None, "grid", PLAYERS)


__all__ = ["GRID_INFO", "INFO", "make", "make_grid"]
