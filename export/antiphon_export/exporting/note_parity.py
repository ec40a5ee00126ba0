"""Whether a model file of notes computes what PyTorch computes, while it is fed and rewound as in playing."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from antiphon.note_steps.codec import PARTS, PITCHES, VELOCITIES
from antiphon.note_steps.model import ATTRIBUTES, NoteModel
from antiphon.note_steps.spans import SPAN_CLASSES
from antiphon.note_steps.words import BAG, ENDS, GIVEN_LEFT, GIVEN_PLACE, READ_WORDS, given_words
from antiphon_export.exporting.parity import TOLERANCE
from antiphon_plugins.notes.model import HEADS, Drawn, Logits, Model

_WORDS: Final = 24
"""Words of a random bag."""
_TURNS: Final = 25
"""How often a turn is taken back."""
_BACK: Final = 64
"""Steps by which it is rewound at most."""
_STRAY: Final = 8
"""Most steps of a turn that is taken back."""


@dataclass(frozen=True, slots=True)
class NoteParity:
    """How far a model file is from PyTorch."""

    steps: int
    rewinds: int
    largest_difference: float
    """Of any logit of any head, from PyTorch in 64 bits."""
    rounding: float
    """The same of PyTorch itself in 32 bits."""
    divergence: float
    """Kullback-Leibler divergence of the file's words from PyTorch's, in nats a step, all heads together."""

    @property
    def is_rounding(self) -> bool:
        """Whether the difference is no more than rounding in 32 bits explains."""
        return self.largest_difference <= max(TOLERANCE, 2 * self.rounding)


def check_note_parity(reference: Model, model: NoteModel, *, steps: int = 1000, seed: int = 0) -> NoteParity:
    """Feed `model` random steps, singly and in chunks, with turns that are taken back; compare every logit.

    `reference` is in `eval` mode; it reads all steps at once, with the window that the model's ring keeps. At least
    `steps` are fed, and more if the ring is not gone round otherwise.
    """
    card = model.card
    rng = np.random.default_rng(seed)
    steps = max(steps, card.capacity * 5 // 4)
    bags = np.zeros((steps, BAG), dtype=np.int64)
    bags[:, :_WORDS] = rng.integers(1, READ_WORDS, size=(steps, _WORDS))
    seconds = np.cumsum(rng.exponential(0.2, size=steps))
    time, part, pitch, velocity = (
        torch.from_numpy(rng.integers(-1, size, size=(1, steps))) for size in (SPAN_CLASSES, PARTS, PITCHES, VELOCITIES)
    )
    drawn = Drawn(
        time,
        part,
        pitch,
        velocity,
        given=torch.from_numpy(rng.integers(GIVEN_PLACE, GIVEN_LEFT, size=(1, steps, 2))),
        ends=torch.from_numpy(rng.integers(-1, SPAN_CLASSES, size=(1, steps, ENDS))),
    )
    exact = _reference(copy.deepcopy(reference).double(), bags, seconds, drawn, card.window)
    single = _reference(reference, bags, seconds, drawn, card.window)
    states, spoken_time, turns = _played(model, bags, seconds, rng)
    spoken = {"time": spoken_time}
    told = {name: getattr(drawn, name)[0].numpy() for name in ("time", "part", "pitch", "velocity", "given", "ends")}
    for known, attribute in enumerate(ATTRIBUTES):
        given = given_words(known, told["time"], told["given"], told["part"], told["pitch"], told["velocity"])
        spoken[attribute] = model.speak_all(attribute, states, given, told["ends"])
        spoken[attribute][-1] = model.speak(attribute, given[-1], told["ends"][-1])  # after one step alone, too
    largest = rounding = divergence = 0.0
    for name in HEADS:
        wanted = getattr(exact, name)[0].numpy()
        said = np.isfinite(wanted)
        largest = max(largest, float(np.abs(spoken[name][said] - wanted[said]).max()))
        rounding = max(rounding, float(np.abs(getattr(single, name)[0].numpy()[said] - wanted[said]).max()))
        divergence += _divergence(wanted, spoken[name])
    model.rewind(0)
    return NoteParity(steps, 2 * turns, largest, rounding, divergence)


def _played(
    model: NoteModel, bags: np.ndarray, seconds: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """States and logits of time after every step, and how many turns were taken back."""
    steps, turns = len(bags), 0
    states: list[np.ndarray] = []
    times: list[np.ndarray] = []
    model.rewind(0)
    while model.position < steps:
        start = model.position
        length = 1 if rng.random() < 0.7 else int(rng.integers(2, model.card.chunk + 8))
        end = min(start + length, steps)
        earliest = max(model.earliest, start - _BACK) + _STRAY
        if steps * (turns + 1) // _TURNS <= start and earliest < start:
            place = int(rng.integers(earliest, start + 1))
            model.rewind(place)
            stray = int(rng.integers(1, _STRAY + 1))
            model.feed(bags[rng.integers(steps, size=stray)], seconds[start] + np.arange(stray))
            model.rewind(place)
            if place < start:
                model.feed(bags[place:start], seconds[place:start])
            turns += 1
        state, time = model.feed_all(bags[start:end], seconds[start:end])
        states.append(state)
        times.append(time)
    return np.concatenate(states), np.concatenate(times), turns


def _reference(model: Model, bags: np.ndarray, seconds: np.ndarray, drawn: Drawn, window: int) -> Logits:
    with torch.inference_mode():
        state = model.listen(torch.from_numpy(bags)[None], torch.from_numpy(seconds)[None], window)
        return model.speak(state, drawn)


def _divergence(wanted: np.ndarray, got: np.ndarray) -> float:
    log_p, log_q = (torch.from_numpy(logits).double().log_softmax(-1) for logits in (wanted, got))
    terms = torch.where(log_p > -30, log_p.exp() * (log_p - log_q), 0.0)
    return float(terms.sum(-1).mean())
