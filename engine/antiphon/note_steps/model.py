"""A Transformer that takes a note a step, and speaks of the next one an attribute at a time.

Its keys and values lie in a ring, as those of `RingModel`; positions are told by the steps' number and by their time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from antiphon.models import onnx_session
from antiphon.models.card import ModelCard, ModelError, read_card, read_heads
from antiphon.models.onnx_session import OnnxSession, Place, Tensor
from antiphon.models.ring_slots import RingSlots, division, earliest_seen
from antiphon.models.step_model import check_logits, check_rewind
from antiphon.note_steps import codec
from antiphon.note_steps.spans import SPAN_CLASSES
from antiphon.note_steps.words import BAG, ENDS, GIVEN_TOLD, LENGTHS, READ_WORDS

Attribute = Literal["part", "pitch", "velocity", "length"]
ATTRIBUTES: Final[tuple[Attribute, ...]] = ("part", "pitch", "velocity", "length")
"""What is asked for after the time, in this order."""
INDEX_BASE: Final = 10000.0
"""Longest wavelength of positions, in steps, over 2 pi."""
SHORTEST_SECONDS: Final = 0.05
LONGEST_SECONDS: Final = 200.0
"""Wavelengths of time, over 2 pi."""


def turns(head_size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far pairs turn with each step, and how far with each second: [head_size / 4] each, in radians."""
    place = np.arange(head_size // 4) / (head_size // 4)
    return INDEX_BASE**-place, 1 / (SHORTEST_SECONDS * (LONGEST_SECONDS / SHORTEST_SECONDS) ** place)


def load_note_model(path: Path, place: Place = "cpu") -> NoteModel:
    """The model in `path`, ready to be fed.

    Raises:
        ModelError: there is no such file, it is no model of notes, or it cannot be run.
    """
    card = read_card(path)
    if (card.codec, card.codec_version) != (codec.NAME, codec.VERSION):
        raise ModelError(
            f"'{path}' speaks the codec {card.codec} (version {card.codec_version}); "
            f"wanted: {codec.NAME} (version {codec.VERSION})"
        )
    if card.vocabulary != READ_WORDS:
        raise ModelError(f"'{path}' knows {card.vocabulary} words; this Antiphon says {READ_WORDS}: export it again")
    heads = read_heads(path)
    if heads is None:
        raise ModelError(f"'{path}' has no heads; export its checkpoint again")
    return NoteModel(onnx_session.open_session(path, place), onnx_session.open_session(path, place, inside=heads), card)


class NoteModel:
    """A model of notes with a memory of what it was fed, which can be cut back."""

    def __init__(self, session: OnnxSession, heads: OnnxSession, card: ModelCard) -> None:
        """`heads`: the model that speaks after a step. Raises ModelError if a graph is not what the card says."""
        self.card = card
        self.runs_on = session.runs_on
        self.position = 0
        """Steps fed so far."""
        self._newest = 0
        ring = [1, card.heads, card.capacity, card.head_size]
        caches = [f"{kind}_{layer}" for layer in range(card.layers) for kind in "kv"]
        found = session.inputs()
        whole = all(found.get(f"past_{name}") == ring for name in caches) and found.get("bags") == ["T", BAG]
        if not whole or card.capacity < card.window + card.chunk - 1 or heads.inputs().get("ends") != ["N", ENDS]:
            raise ModelError(f"'{card.path}' does not hold what its metadata say; export its checkpoint again")
        kept = {name: session.tensor((1, card.heads, card.capacity, card.head_size)) for name in caches}
        sizes = [1 << power for power in reversed(range(card.chunk.bit_length()))]
        self._runs = {size: _Run(session, card, size, kept) for size in sizes}
        self._heads = _Heads(heads)
        for run in list(self._runs.values()) * session.warm_ups:
            run(np.zeros((run.size, BAG), np.int64), np.zeros(run.size), 0)

    @property
    def earliest(self) -> int:
        """Smallest position, besides 0, that `rewind` can reach now."""
        return earliest_seen(self.position, self._newest, self.card.capacity, self.card.window)

    def feed(self, bags: NDArray[np.int64], seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """Take in steps: `bags` [T, BAG], T at least 1, that happen at `seconds` [T]; returns logits of the time of
        the next step, [SPAN_CLASSES], in an array that the next call uses again.

        Raises:
            ModelError: the model computed something that is not a number.
        """
        logits: NDArray[np.float32] = self._feed(bags, seconds)[1][-1]
        return logits

    def feed_all(
        self, bags: NDArray[np.int64], seconds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `feed`, but returns the states [T, state size] and logits of time [T, SPAN_CLASSES] after every step."""
        return self._feed(bags, seconds)

    def speak(self, attribute: Attribute, given: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of an attribute of the next step, from the last state, in an array that the next call uses again.

        `given` [GIVEN_TOLD]: words of what is known of it; `ends` [ENDS]: classes of how long notes will sound yet
        when it begins, -1 for none.
        """
        logits = self._heads(attribute, given, ends)
        check_logits(logits, self.card)
        return logits

    def speak_all(
        self,
        attribute: Attribute,
        states: NDArray[np.float32],
        given: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """As `speak`, after N steps at once: `states` [N, state size], `given` [N, GIVEN_TOLD], `ends` [N, ENDS];
        returns logits [N, classes] in an array of their own.
        """
        return self._heads.all(attribute, states, given, ends)

    def rewind(self, position: int) -> None:
        """Forget all steps from `position` on, in microseconds. The last state is none until the next `feed`.

        Raises:
            ValueError: `position` is beyond what was fed, or neither 0 nor at least `earliest`.
        """
        check_rewind(position, self.position, self.earliest)
        self.position = position
        if position == 0:
            self._newest = 0

    def _feed(
        self, bags: NDArray[np.int64], seconds: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not len(bags) or len(bags) != len(seconds):
            raise ValueError(f"{len(bags)} steps at {len(seconds)} times; give at least 1, and as many of both")
        states, times = [], []
        start = 0
        for size in division(list(self._runs), len(bags)):
            part = slice(start, start + size)
            state, time = self._runs[size](bags[part], seconds[part], self.position)
            states.append(state.copy())
            times.append(time.copy())
            self.position += size
            self._newest = max(self._newest, self.position)
            start += size
        self._heads.listen(states[-1][-1])
        state, time = np.concatenate(states), np.concatenate(times)
        check_logits(time, self.card)
        return state, time


class _Run:
    """The graph bound to take in a fixed number of steps at a time."""

    def __init__(self, session: OnnxSession, card: ModelCard, size: int, kept: dict[str, Tensor]) -> None:
        self.size = size
        self._slots = RingSlots(session, card.capacity, card.window, size)
        self._by_index, self._by_second = turns(card.head_size)  # [D / 4] each
        self._bags = session.tensor((size, BAG), np.int64)
        self._cos, self._sin = (session.tensor((size, card.head_size // 2)) for _ in range(2))
        fed = {"bags": self._bags, "cos": self._cos, "sin": self._sin, **self._slots.tensors}
        self._fed = tuple(fed.values())
        self._state = session.tensor((size, int(session.outputs()["state"][1])))
        self._time = session.tensor((size, SPAN_CLASSES))
        present = {f"present_{name}": tensor for name, tensor in kept.items()}
        self._compute = session.bind(
            fed | {f"past_{name}": tensor for name, tensor in kept.items()},
            {"state": self._state, "logits_time": self._time} | present,
        )

    def __call__(
        self, bags: NDArray[np.int64], seconds: NDArray[np.float64], position: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Take in `bags` [size, BAG] at `position`; returns states and logits of time, used again by the next call."""
        self._bags.array[...] = bags
        self._slots.place(position)
        # In 64 bits: an angle keeps its precision however long the music.
        index = (position + np.arange(self.size))[:, None] * self._by_index  # [size, D / 4]
        angles = np.concatenate([index, seconds[:, None] * self._by_second], axis=1)  # [size, D / 2]
        self._cos.array[...] = np.cos(angles)
        self._sin.array[...] = np.sin(angles)
        for tensor in self._fed:
            tensor.push()
        self._compute()
        self._state.pull()
        self._time.pull()
        return self._state.array, self._time.array


class _Heads:
    """The heads, each bound to speak by itself after one step."""

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self._state = session.tensor((1, int(session.inputs()["state"][1])))
        self._given = session.tensor((1, GIVEN_TOLD), np.int64)
        self._ends = session.tensor((1, ENDS), np.int64)
        told = {"state": self._state, "given": self._given, "ends": self._ends}
        self._logits = {name: session.tensor((1, size)) for name, size in _SIZES.items()}
        self._compute = {
            name: session.bind(told, {f"logits_{name}": logits}, only_these=True)
            for name, logits in self._logits.items()
        }

    def listen(self, state: NDArray[np.float32]) -> None:
        """Speak after the step with this `state`."""
        self._state.array[0] = state
        self._state.push()

    def __call__(self, attribute: Attribute, given: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of `attribute`, used again by the next call for it."""
        self._given.array[0] = given
        self._ends.array[0] = ends
        self._given.push()
        self._ends.push()
        self._compute[attribute]()
        self._logits[attribute].pull()
        spoken: NDArray[np.float32] = self._logits[attribute].array[0]
        return spoken

    def all(
        self,
        attribute: Attribute,
        states: NDArray[np.float32],
        given: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Logits of `attribute` after each of N steps."""
        told: dict[str, NDArray[Any]] = {"state": states, "given": given, "ends": ends}
        tensors = {name: self._session.tensor(array.shape, array.dtype) for name, array in told.items()}
        for name, array in told.items():
            tensors[name].array[...] = array
            tensors[name].push()
        logits = self._session.tensor((len(states), _SIZES[attribute]))
        self._session.bind(tensors, {f"logits_{attribute}": logits}, only_these=True)()
        logits.pull()
        spoken: NDArray[np.float32] = logits.array
        return spoken


_SIZES: Final[dict[Attribute, int]] = {
    "part": codec.PARTS,
    "pitch": codec.PITCHES,
    "velocity": codec.VELOCITIES,
    "length": LENGTHS,
}
