"""Random music, and random tokens within a writer's masks, for the tests of the codecs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from antiphon.generator import Constraints
from antiphon.music.note_rows import NoteRows
from antiphon.notes import Note
from antiphon.tokens.codec import Tokens, Writer

BARS = [1920, 1440, 4320, 840, 180, 170]
"""Lengths of bars in ticks: 4/4, 3/4, 9/4 (too long for one), 7/16, and two that are no whole sixteenths."""


def rows(*notes: tuple[int, int, int, int]) -> NoteRows:
    """Notes as (onset, pitch, length, velocity), in any order."""
    ordered = sorted(notes, key=lambda note: note[:2])
    return np.array(ordered, dtype=np.int64).reshape(-1, 4)


def music(held: bool = True) -> st.SearchStrategy[NoteRows]:
    """Up to 40 notes, close enough to collide; some still held, if `held`."""
    # Two kinds of onset, so that notes fall together, and so that there are rests of several bars.
    onset = st.integers(-500, 2_000) | st.integers(-2_000, 20_000)
    length = st.integers(0 if held else 1, 1_000) | st.integers(3_000, 12_000)
    pitch = st.integers(58, 62) | st.integers(0, 127)
    note = st.tuples(onset, pitch, length, st.integers(1, 127))
    return st.lists(note, max_size=40).map(lambda notes: rows(*notes))


def constraints() -> st.SearchStrategy[Constraints]:
    """Constraints of all sorts, those that leave little or nothing to play among them."""
    scale = st.none() | st.frozensets(st.integers(0, 11), max_size=7)
    return st.builds(
        lambda low, span, scale, polyphony: Constraints(low, min(127, low + span), scale, polyphony),
        st.integers(0, 127),
        st.integers(0, 60),
        scale,
        st.integers(1, 5),
    )


def write_random(writer: Writer, count: int, seed: int) -> list[int]:
    """Write `count` tokens, drawn evenly from the kinds of event that are allowed, then from the tokens of that kind.

    Drawn evenly from all tokens, there would be hardly a barline or a release.
    """
    random = np.random.default_rng(seed)
    written: list[int] = []
    for _ in range(count):
        allowed = writer.allowed()
        assert allowed.any(), f"no token may follow {written[-6:]}"
        tokens = np.flatnonzero(allowed)
        groups = np.split(tokens, np.flatnonzero(np.diff(tokens) > 1) + 1)
        written.append(int(random.choice(groups[random.integers(len(groups))])))
        writer.write(written[-1])
    return written


def played_right(notes: list[Note], allowed: Constraints) -> None:
    """Fail unless every note, and how many sound at once, keeps to the constraints; one note a key at a time."""
    for note in notes:
        assert allowed.low_pitch <= note.pitch <= allowed.high_pitch
        assert allowed.scale is None or note.pitch % 12 in allowed.scale
        assert note.length_ticks is not None
        assert note.length_ticks >= 1
        assert 1 <= note.velocity <= 127
        assert all(type(value) is int for value in (note.start_ticks, note.pitch, note.length_ticks, note.velocity))
        sounding = [other.pitch for other in notes if other.start_ticks <= note.start_ticks < (other.end_ticks or 0)]
        assert len(sounding) <= allowed.polyphony
        assert sounding.count(note.pitch) == 1


def as_tokens(written: list[int]) -> Tokens:
    """A list of ids as the array that codecs take."""
    return np.array(written, dtype=np.int64)
