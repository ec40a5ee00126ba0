"""How long a note takes the model of notes, beside the model of tokens that needs several tokens for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

import antiphon_plugins
from antiphon.models.loading import load_model
from antiphon.note_steps.model import ATTRIBUTES, NoteModel, load_note_model
from antiphon.note_steps.words import BAG, ENDS, GIVEN_TOLD
from antiphon_export.bench.contest import Contestant, take_turns
from antiphon_export.bench.figures import Row, Target, Unmeasured, figure, milliseconds
from antiphon_export.bench.random_models import one_token

_GENERATORS: Final = Path(antiphon_plugins.__file__).parent
NOTES: Final = _GENERATORS / "notes" / "notes.onnx"
TOKENS: Final = _GENERATORS / "transformer" / "performance.onnx"
TOKENS_OF_A_NOTE: Final = 3.7
"""Of the performance codec, in pop piano."""
_NOTE: Final = Target("p50", 1.5)
_RATIO: Final = Target("p50", 3.5, at_least=True)


def note_times(turns: int, goes: int, model: Path = NOTES) -> list[Row]:
    """A note of `model`, its memory full, in turn with a token of the shipped performance model.

    `turns`, `goes`: see `take_turns`.
    """
    if not model.is_file():
        return [Unmeasured("a note", f"there is no model '{model.name}' yet; see docs/models")]
    tokens = load_model(TOKENS, device="cpu")
    notes = load_note_model(model)
    times = take_turns(
        [
            Contestant("note", one_note(notes)),
            Contestant("token", one_token(tokens, max(tokens.card.capacity, 1))),
        ],
        turns,
        goes,
    )
    ratios = [TOKENS_OF_A_NOTE * ratio for ratio in times.ratios("token", "note")]
    return [
        milliseconds(f"a note, {notes.card.precision}, step and heads", times.of("note"), _NOTE),
        milliseconds("a token of the performance Transformer", times.of("token")),
        figure(f"  a note is so many times as fast as {TOKENS_OF_A_NOTE} tokens", "×", ratios, _RATIO),
    ]


def one_note(model: NoteModel) -> Callable[[], object]:
    """Feeds a step, and lets the heads speak of a note in free time, where the ring is full; always at the same place.

    Whose note it is nobody asks in a performance.
    """
    random = np.random.default_rng(0)
    room = model.card.capacity
    bags = random.integers(1, model.card.vocabulary, size=(room, BAG))
    seconds = np.arange(room) / 8
    model.feed(bags, seconds)
    given, ends = np.ones(GIVEN_TOLD, np.int64), np.zeros(ENDS, np.int64)

    def go() -> None:
        model.rewind(room - 1)
        model.feed(bags[-1:], seconds[-1:])
        for attribute in ATTRIBUTES[1:]:
            model.speak(attribute, given, ends)

    return go
