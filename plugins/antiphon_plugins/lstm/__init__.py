"""The study's LSTM, trained on the grid: small, quick, and with a memory that has no fixed length."""

from __future__ import annotations

from pathlib import Path

from antiphon import Casting, Generator, GeneratorInfo
from antiphon.tokens import TOKEN_CONTROLS
from antiphon_plugins.codecs import PLAYERS

_FOLDER = Path(__file__).parent

INFO = GeneratorInfo(
    name="lstm",
    summary="an LSTM that has learnt from scores: plays to the beat, and needs little of the machine",
    controls=TOKEN_CONTROLS,
    latency="quick",
    follows="beat",
    honours=frozenset({"range", "scale", "polyphony"}),
    models=_FOLDER,
)


def make(casting: Casting) -> Generator:
    """Make one player. `casting.model`: a model of the grid codec; None for the shipped one.

    Raises:
        ModelError: the model cannot be used, or speaks another codec.
    """
    from antiphon.tokens import make_token_player  # here, so that listing the generators stays cheap

    return make_token_player(casting, _FOLDER / "grid-lstm.onnx", "grid", PLAYERS)


__all__ = ["INFO", "make"]
