"""The Transformer that takes a note a step: one model, which plays in free time or to the beat, without PyTorch."""

from __future__ import annotations

from pathlib import Path

from antiphon import Casting, Generator, GeneratorInfo
from antiphon.note_steps import NOTE_CONTROLS
from antiphon_plugins.codecs import PLAYERS

_FOLDER = Path(__file__).parent
_MODEL = _FOLDER / "notes.onnx"

INFO = GeneratorInfo(
    name="notes",
    summary="a Transformer that takes a note a step: free time, expressive touch, many styles",
    controls=NOTE_CONTROLS,
    latency="heavy",
    follows="free",
    honours=frozenset({"range", "scale", "polyphony"}),
    models=_FOLDER,
)

GRID_INFO = GeneratorInfo(
    name="grid-notes",
    summary="the same Transformer to the beat, in sixteenths and triplets",
    controls=NOTE_CONTROLS,
    latency="heavy",
    follows="beat",
    honours=frozenset({"range", "scale", "polyphony"}),
    models=_FOLDER,
)


def make(casting: Casting) -> Generator:
    """Make a player in free time. `casting.model`: a model of the codec `notes`; None for the shipped one.

    Raises:
        ModelError: the model cannot be used, or speaks another codec.
    """
    from antiphon.note_steps import make_note_player  # here, so that listing the generators stays cheap

    return make_note_player(casting, _MODEL, "free", PLAYERS)


def make_grid(casting: Casting) -> Generator:
    """Make a player to the beat. `casting.model`: a model of the codec `notes`; None for the shipped one.

    Raises:
        ModelError: the model cannot be used, or speaks another codec.
    """
    from antiphon.note_steps import make_note_player

    return make_note_player(casting, _MODEL, "beat", PLAYERS)


__all__ = ["GRID_INFO", "INFO", "make", "make_grid"]
