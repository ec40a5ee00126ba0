"""Windows of steps to learn from, drawn and varied anew each time by the generator they are given. They keep none.

Who plays is drawn, too: a piece is played by the machine alone, by player and machine in turns, or by both at once,
each with some of its tracks or with a register; then the machine's next note is asked for, and what the player did
last is known late, as it is in life.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.note_steps.codec import DRUMS, MACHINE, PLAYER, NoteSteps, edge, encode, joined, unit_ticks
from antiphon.note_steps.spans import BEAT_UNITS
from antiphon.note_steps.words import Moments, Reading, read
from antiphon.tokens.grid_codec import GridCodec
from antiphon_export.notes.beats import Bars
from antiphon_export.notes.pieces import NotePiece, NoteShelf
from antiphon_export.training.pieces import TICKS_PER_SECOND
from antiphon_export.training.windows import Augmentation

_USUAL_NOTES_PER_SECOND: Final = 8.0
"""Performances denser than this are drawn less often, in proportion: a bandmate leaves room."""
_FROM_START, _TO_END, _SHORTENED = 0.12, 0.12, 0.15
"""How often a window begins where its piece does, ends where it does, or is cut where the music rests."""
_ALONE, _TURNS = 0.4, 0.3
"""How often the machine plays all, and how often in turns; else both play at once."""
_ASKED = 0.6
"""How often, when both play at once, only the machine's notes are foretold."""
_ONE_TRACK = 0.15
"""How often one track is taken alone."""
_LEFT_TOLD, _STYLE_TOLD, _BARS_TOLD, _TOUCH_HIDDEN, _HELD = 0.5, 0.6, 0.85, 0.5, 0.5
_LONGEST_LAG: Final = {"free": 60, "beat": BEAT_UNITS}
"""Units by which what the player did is known late, at most."""
_SHORTEST: Final = 16
"""Notes that an excerpt is cut from, at least."""
_TURN_STEPS: Final = (8, 60)
_HIGHEST_PITCH: Final = 127


class NoteWindows:
    """Windows of the pieces of some shelves."""

    def __init__(self, shelves: Sequence[NoteShelf], *, lifts: bool = True) -> None:
        self._lifts = lifts
        self._pieces = [(shelf, piece) for shelf in shelves for piece in shelf.pieces]
        chances = np.concatenate([_piece_chances(shelf) for shelf in shelves])
        self._chances = np.cumsum(chances / chances.sum())

    def draw(self, random: np.random.Generator, length: int, augmentation: Augmentation) -> Reading:
        """A window of `length` steps, of which each but the last foretells another."""
        choice = min(int(np.searchsorted(self._chances, random.random())), len(self._pieces) - 1)
        shelf, piece = self._pieces[choice]
        clock = shelf.clock
        steps, moments, asked = _excerpt(random, piece, length + 1, augmentation, self._lifts)
        while len(steps) <= length:
            # What is too short for a window is followed by another piece, after a rest.
            alike = shelf.pieces[int(random.integers(len(shelf.pieces)))]
            more, later, _ = _excerpt(random, alike, length + 1 - len(steps), augmentation, self._lifts, asked)
            gap = int(steps.end.max()) + (100 if clock == "free" else 2 * BEAT_UNITS) - int(more.onset[0])
            steps = joined(steps, _shifted(more, gap))
            moments = _together(moments, later, gap)
        steps, moments = steps.take(slice(length + 1)), _cut(moments, slice(length + 1))
        hidden = _held(random, steps) if random.random() < _HELD else None
        style = shelf.style if random.random() < _STYLE_TOLD else None
        return read(steps, clock, moments=moments, style=style, machine_only=asked, hidden=hidden)


def still_windows(
    piece: NotePiece, length: int, *, lifts: bool = True, moved_units: int = 0, sixteenths: bool = False
) -> list[Reading]:
    """A whole piece, played by the machine, in windows of `length` steps, each begun with the last of the one before.

    Nothing is varied; of a piece in beats no touch is told. `moved_units`: how far all is moved against its bars.
    `sixteenths`: what is in beats is told as the grid codec tells it, on sixteenths, long notes in several.
    """
    rows = piece.rows
    if piece.clock == "beat":
        rows = GridCodec().quantise(rows) if sixteenths else rows.copy()
        rows[:, 3] = 0
    steps = encode(rows, np.full(len(rows), MACHINE), piece.clock, lifts=lifts)
    moments = _moments(piece, steps, 1.0, None)
    if moved_units:
        steps = _shifted(steps, moved_units)
    found = []
    for start in range(0, max(1, len(steps) - 1), length - 1):
        part = slice(start, start + length)
        found.append(read(steps.take(part), piece.clock, moments=_cut(moments, part)))
    return found


def _piece_chances(shelf: NoteShelf) -> NDArray[np.float64]:
    """How often each piece of a shelf is drawn: by its notes, less if it is dense; the shelf's weight in all."""
    notes = np.array([len(piece.rows) for piece in shelf.pieces], dtype=np.float64)
    if shelf.clock == "free" and not any(piece.drums for piece in shelf.pieces):
        seconds = np.array([np.ptp(piece.rows[:, 0]) / TICKS_PER_SECOND for piece in shelf.pieces])
        notes *= np.minimum(1.0, _USUAL_NOTES_PER_SECOND * np.maximum(1.0, seconds) / notes)
    return np.asarray(shelf.weight * notes / notes.sum())


def _excerpt(
    random: np.random.Generator,
    piece: NotePiece,
    length: int,
    augmentation: Augmentation,
    lifts: bool,
    asked: bool | None = None,
) -> tuple[NoteSteps, Moments, bool]:
    """Up to `length` steps or a few more of a piece, varied; and whether only the machine's are foretold."""
    length = max(length, _SHORTEST)
    rows, tracks = piece.rows, piece.tracks
    if piece.track_count > 1 and random.random() < _ONE_TRACK:
        chosen = tracks == random.integers(piece.track_count)
        if chosen.sum() > length // 4:
            rows, tracks = rows[chosen], tracks[chosen]
    begin = 0
    if len(rows) > length:
        fate = random.random()
        if fate >= _FROM_START:
            begin = len(rows) - length + 2 if fate < _FROM_START + _TO_END else int(random.integers(len(rows) - length))
    rows, tracks = rows[begin : begin + length], tracks[begin : begin + length]
    ends = piece.phrase_ends
    to_end = begin + length >= len(piece.rows)
    cut = ends[(ends > rows[len(rows) // 3, 0]) & (ends < rows[-1, 0])]
    if len(cut) and random.random() < _SHORTENED:
        kept = rows[:, 0] < int(random.choice(cut))
        rows, tracks, to_end = rows[kept], tracks[kept], True
    rows, speed = _varied(rows, piece, random, augmentation)
    parts, together = _parts(random, piece, rows, tracks)
    steps = encode(rows, parts, piece.clock, lifts=lifts)
    if begin == 0:
        steps = joined(edge(int(steps.onset[0]), MACHINE), steps)
    if to_end:
        steps = joined(steps, edge(int(steps.end.max()), MACHINE))
    if asked is None:
        asked = together and random.random() < _ASKED
    if asked and together:
        lag = int(random.integers(_LONGEST_LAG[piece.clock] + 1))
        steps = steps.take(np.argsort(steps.onset + lag * (steps.part == PLAYER), kind="stable"))
    told = replace(piece, bars=piece.bars if random.random() < _BARS_TOLD else None)
    phrase = ends if random.random() < _LEFT_TOLD else None
    return steps, _moments(told, steps, speed, phrase), asked


def _varied(
    rows: NDArray[np.int64], piece: NotePiece, random: np.random.Generator, augmentation: Augmentation
) -> tuple[NDArray[np.int64], float]:
    """`rows` transposed, louder or softer, and in free time faster or slower; and how much faster."""
    moved = rows.copy()
    speed = 1.0
    if piece.clock == "free":
        speed = float(np.exp(random.uniform(*np.log(augmentation.tempo))))
        moved[:, 0] = np.round(rows[:, 0] / speed)
        moved[:, 2] = np.maximum(1, np.round(rows[:, 2] / speed))
    if not piece.drums:
        semitones = int(random.integers(augmentation.transpose[0], augmentation.transpose[1] + 1))
        moved[:, 1] += min(max(semitones, -int(rows[:, 1].min())), _HIGHEST_PITCH - int(rows[:, 1].max()))
    louder = int(random.integers(augmentation.velocity[0], augmentation.velocity[1] + 1))
    if piece.clock == "beat" and random.random() < _TOUCH_HIDDEN:
        moved[:, 3] = 0
    moved[:, 3] = np.where(moved[:, 3] > 0, (moved[:, 3] + louder).clip(4, 127), 0)
    return moved, speed


def _parts(
    random: np.random.Generator, piece: NotePiece, rows: NDArray[np.int64], tracks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], bool]:
    """Who plays each note, and whether player and machine play at once."""
    count = len(rows)
    if piece.drums:
        return np.full(count, DRUMS), False
    fate = random.random()
    if fate < _ALONE:
        return np.full(count, MACHINE), False
    if fate < _ALONE + _TURNS:
        turns = np.cumsum(random.integers(*_TURN_STEPS, size=max(2, count // _TURN_STEPS[0] + 1)))
        turn = np.searchsorted(turns, np.arange(count), side="right") + random.integers(2)
        # What is struck together is played by one.
        first = np.searchsorted(rows[:, 0], rows[:, 0], side="left")
        return np.where(turn[first] % 2 == 0, PLAYER, MACHINE), False
    present = np.unique(tracks)
    if len(present) < 2:
        split = int(np.quantile(rows[:, 1], random.uniform(0.3, 0.7)))
        high = rows[:, 1] >= split
        return np.where(high == (random.random() < 0.6), PLAYER, MACHINE), True
    order = random.permutation(present)
    player = order[: int(random.integers(1, len(order)))]
    apart = random.random() < 0.5
    machine = {int(track): MACHINE + (number if apart else 0) for number, track in enumerate(order[len(player) :])}
    parts = np.array([machine.get(int(track), PLAYER) for track in range(int(present.max()) + 1)])
    return parts[tracks].clip(max=DRUMS - 1), True


def _moments(piece: NotePiece, steps: NoteSteps, speed: float, phrase_ends: NDArray[np.int64] | None) -> Moments:
    unit = unit_ticks(piece.clock) * speed
    bar_start = bar_length = phrase_end = None
    if piece.bars is not None and piece.clock == "beat":
        bar_start, bar_length = _bar_units(piece.bars, steps, unit)
    if phrase_ends is not None:
        ticks = np.round(steps.onset * unit)
        place = np.searchsorted(phrase_ends, ticks - unit, side="left").clip(max=len(phrase_ends) - 1)
        phrase_end = np.round(phrase_ends[place] / unit).astype(np.int64)
    return Moments(bar_start, bar_length, phrase_end)


def _bar_units(bars: Bars, steps: NoteSteps, unit: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    start, length = bars.around(np.round(steps.onset * unit).astype(np.int64))
    told = start >= 0
    return (
        np.where(told, np.round(start / unit), -1).astype(np.int64),
        np.where(told, np.round(length / unit), -1).astype(np.int64),
    )


def _held(random: np.random.Generator, steps: NoteSteps) -> NDArray[np.bool_]:
    """Notes of the player that were down at one or two moments, when somebody asked what comes next."""
    now = np.maximum.accumulate(steps.onset)
    hidden = np.zeros(len(steps), dtype=np.bool_)
    for place in random.integers(len(steps) // 4, len(steps), size=int(random.integers(1, 3))):
        known = np.arange(len(steps)) <= place
        hidden |= known & steps.sounds & (steps.part == PLAYER) & (steps.end > now[place])
    return hidden


def _shifted(steps: NoteSteps, by_units: int) -> NoteSteps:
    return replace(steps, onset=steps.onset + by_units, end=steps.end + by_units)


def _together(first: Moments, second: Moments, gap: int) -> Moments:
    """The moments of two excerpts, the second moved by `gap` units; what only one of them tells is told of neither."""
    return Moments(
        _both(first.bar_start, second.bar_start, gap),
        _both(first.bar_length, second.bar_length, 0),
        _both(first.phrase_end, second.phrase_end, gap),
    )


def _both(first: NDArray[np.int64] | None, second: NDArray[np.int64] | None, gap: int) -> NDArray[np.int64] | None:
    if first is None or second is None:
        return None
    return np.concatenate([first, np.where(second >= 0, second + gap, -1)])


def _cut(moments: Moments, part: slice) -> Moments:
    every = (moments.bar_start, moments.bar_length, moments.phrase_end)
    return Moments(*(None if values is None else values[part] for values in every))
