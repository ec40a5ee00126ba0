"""From a model of notes to a player: what a plugin that brings one calls to make one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from antiphon.generator import Casting
from antiphon.note_steps import codec
from antiphon.note_steps.generator import NoteGenerator
from antiphon.note_steps.model import load_note_model
from antiphon.note_steps.spans import Clock
from antiphon.tokens.making import chosen_model


def make_note_player(
    casting: Casting, own: Path, clock: Clock, elsewhere: Mapping[str, str] | None = None
) -> NoteGenerator:
    """A player, in free time or to the beat, of the model of notes that `casting` names; else of `own`.

    `elsewhere`: by codec, the generator that plays models of it, to be named to who chose the wrong one.

    Raises:
        ModelError: there is no such file, it cannot be used, or it speaks another codec.
    """
    path = chosen_model(casting, own, codec.NAME, elsewhere)
    # A note is many small runs, which no GPU is quicker at: it is chosen only by name.
    model = load_note_model(path, "cuda" if casting.device == "cuda" else "cpu")
    return NoteGenerator(casting.seed, model, clock)
