"""The 153 tokens of the grid, and the arithmetic of notes and bars in sixteenths. It knows no ticks but a step's."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from antiphon.notes import STEP_TICKS
from antiphon.tokens.codec import Tokens

BAR: Final = 0
"""A barline."""
OFFSET: Final = 1
"""First of 32 tokens: 0 to 31 steps since the last barline."""
PITCH: Final = 33
"""First of 88 tokens: MIDI note numbers 21 to 108."""
DURATION: Final = 121
"""First of 32 tokens: 1 to 32 steps."""
VOCABULARY: Final = 153
LOW_PITCH: Final = 21
HIGH_PITCH: Final = 108
LONGEST_NOTE: Final = 32
"""In steps. Longer notes are written as several, one after the other."""
LONGEST_BAR: Final = 31
"""In steps. Longer bars are written as several."""

Steps = NDArray[np.int64]
"""Times or lengths in sixteenths, shape [N]."""
_Ticks = TypeVar("_Ticks", int, NDArray[np.int64])
"""Of one time, or of many, shape [N]."""


def grid_tokens(onsets: Steps, pitches: NDArray[np.int64], durations: Steps, bars: Steps, origin: int) -> Tokens:
    """Tokens of notes and barlines that are short enough (`split_notes`, `split_bars`), in the order of the study.

    Nothing is dropped or merged. `bars` is in order of time; offsets before the first of them count from `origin`.

    Raises:
        ValueError: a note is before `origin`, or over 31 steps after the last barline.
    """
    times = np.concatenate([bars, onsets])
    keys = np.concatenate([np.full(len(bars), -1), pitches - LOW_PITCH])  # A barline sorts below all pitches.
    lengths = np.concatenate([np.zeros(len(bars), dtype=np.int64), durations])
    order = np.lexsort((lengths, keys, times))
    begins = np.concatenate([[origin], bars])
    counted_from = np.concatenate([begins[:-1], begins[np.searchsorted(bars, onsets, side="right")]])
    offsets = (times - counted_from)[order]
    if len(offsets) and not 0 <= offsets.min() <= offsets.max() <= LONGEST_BAR:
        raise ValueError(f"offsets are {offsets.min()} to {offsets.max()}; allowed 0 to {LONGEST_BAR}: add barlines")
    keys, lengths = keys[order], lengths[order]
    is_bar = keys < 0
    ends = np.cumsum(np.where(is_bar, 2, 3))
    tokens = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
    bar_ends, note_ends = ends[is_bar], ends[~is_bar]
    tokens[bar_ends - 2] = OFFSET + offsets[is_bar]
    tokens[bar_ends - 1] = BAR
    tokens[note_ends - 3] = OFFSET + offsets[~is_bar]
    tokens[note_ends - 2] = PITCH + keys[~is_bar]
    tokens[note_ends - 1] = DURATION + lengths[~is_bar] - 1
    return tokens


def split_notes(onsets: Steps, pitches: NDArray[np.int64], durations: Steps) -> tuple[Steps, NDArray[np.int64], Steps]:
    """Notes, those over 32 steps in pieces of at most 32, one after the other; those of length 0 are lost."""
    counts = -(-durations // LONGEST_NOTE)
    offsets = _count_up(counts) * LONGEST_NOTE
    lengths = np.minimum(np.repeat(durations, counts) - offsets, LONGEST_NOTE)
    return np.repeat(onsets, counts) + offsets, np.repeat(pitches, counts), lengths


def split_bars(bars: Steps, origin: int) -> Steps:
    """Barlines after `origin`, given in order of time, with more of them wherever two are over 31 steps apart."""
    bars = bars[bars > origin]
    before = np.concatenate([[origin], bars])[:-1]
    counts = -(-(bars - before) // LONGEST_BAR)
    return np.minimum(np.repeat(before, counts) + (_count_up(counts) + 1) * LONGEST_BAR, np.repeat(bars, counts))


def barlines(bar_ticks: int, first: int, last: int) -> Steps:
    """Barlines from the one at or before step `first` to the last at or before step `last`: multiples of `bar_ticks`,
    each on the nearest step, and what `split_bars` adds.
    """
    low = first * STEP_TICKS // bar_ticks
    high = last * STEP_TICKS // bar_ticks + 2  # Rounding may bring the next bar's line down to `last`.
    bars = nearest_step(np.arange(low, high) * bar_ticks)
    bars = np.concatenate([bars[:1], split_bars(bars, int(bars[0]))])
    begin = int(np.searchsorted(bars, first, side="right")) - 1
    return bars[begin : int(np.searchsorted(bars, last, side="right"))]


def folded(pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pitches moved by as few octaves as bring them into 21 to 108."""
    up: NDArray[np.int64] = (np.maximum(0, LOW_PITCH - pitches) + 11) // 12
    down: NDArray[np.int64] = (np.maximum(0, pitches - HIGH_PITCH) + 11) // 12
    return pitches + 12 * (up - down)


def nearest_step(ticks: _Ticks) -> _Ticks:
    """The sixteenth nearest to `ticks`; half-way, the later one."""
    return (ticks + STEP_TICKS // 2) // STEP_TICKS


def step_from(ticks: int) -> int:
    """The first sixteenth that is not before `ticks`."""
    return -(-ticks // STEP_TICKS)


def _count_up(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of `counts`, 0 to one below it: [2, 3] gives [0, 1, 0, 1, 2]."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
