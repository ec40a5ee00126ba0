"""Learns a Markov table from folders of music: what is usual in many pieces, and nothing that is one piece's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon_export.midi_folder import Corpus, Notes, Piece, read_pieces
from antiphon_plugins.markov.events import CHORD_TICKS, GAP_SIXTEENTHS
from antiphon_plugins.markov.key import find_keys
from antiphon_plugins.markov.pulse import find_sixteenth
from antiphon_plugins.markov.table import (
    BEAT_PHASES,
    LINE_ORDER,
    MAX_MOTION,
    SIZES,
    Successors,
    Table,
    fold_shape,
    line_contexts,
    voicing_contexts,
)

_KEY_EVENTS = 32
"""Events on either side by which the key of a place is judged."""
_GAPS_FOR_PULSE = 400
_MAX_SHAPES = 4096
_MAX_SUCCESSORS = 64
"""Of one context; what is rarer is left to shorter contexts."""


@dataclass(frozen=True, slots=True)
class PartEvents:
    """One part as events, column by column; all of shape [N]."""

    degree: NDArray[np.uint64]
    """Of the highest note, in the key of the place."""
    move: NDArray[np.uint64]
    """How it was reached: see `table.move_of`. The first is meaningless."""
    size: NDArray[np.uint64]
    """Size class, 1 to `SIZES`."""
    shape: NDArray[np.uint64]
    """The chord below it as a bit mask: see `table.shape_of`."""
    phase: NDArray[np.int64]
    """Sixteenth of the beat, 0 to 3; -1 where beats are unknown."""

    @property
    def gap(self) -> NDArray[np.uint64]:
        """Note value before each event, as an index in `GAP_SIXTEENTHS`."""
        return self.move // np.uint64(SIZES) % np.uint64(len(GAP_SIXTEENTHS))


def read_line(notes: Notes, *, on_grid: bool) -> PartEvents:
    """The events of one part of at least 2 notes."""
    onsets, pitches = notes[:, 0], notes[:, 1]
    starts = np.flatnonzero(np.diff(onsets, prepend=onsets[0] - CHORD_TICKS - 1) > CHORD_TICKS)
    event_of_note = np.cumsum(np.isin(np.arange(len(notes)), starts)) - 1
    lead = np.maximum.reduceat(pitches, starts)
    below = lead[event_of_note] - pitches
    bits = np.where(below < 64, np.uint64(1) << np.minimum(below, 63).astype(np.uint64), np.uint64(0))
    shape = np.bitwise_or.reduceat(bits, starts)
    distinct = np.unique(event_of_note * 128 + pitches) // 128  # A pitch struck twice in a chord is one note.
    size = np.minimum(np.bincount(distinct, minlength=len(starts)), SIZES).astype(np.uint64)

    onset = onsets[starts]
    gaps = np.diff(onset, prepend=onset[0])
    sixteenth = find_sixteenth(gaps[1 : _GAPS_FOR_PULSE + 1].tolist())
    values = np.array(GAP_SIXTEENTHS)
    gap = np.searchsorted(np.sqrt(values[:-1] * values[1:]), gaps / sixteenth, side="right")
    motion = np.diff(lead, prepend=lead[0]).clip(-MAX_MOTION, MAX_MOTION) + MAX_MOTION
    move = (motion * len(GAP_SIXTEENTHS) + gap) * SIZES + size.astype(np.int64) - 1

    return PartEvents(
        degree=((lead - _homes(event_of_note, pitches, len(starts))) % 12).astype(np.uint64),
        move=move.astype(np.uint64),
        size=size,
        shape=shape,
        phase=_phases(onset, sixteenth) if on_grid else np.full(len(starts), -1),
    )


def _homes(event_of_note: NDArray[np.int64], pitches: NDArray[np.int64], events: int) -> NDArray[np.int64]:
    """Home of the key around each event, by the pitch classes near it; shape [events]."""
    histogram = np.zeros((events + 1, 12))
    np.add.at(histogram, (event_of_note + 1, pitches % 12), 1)
    running = histogram.cumsum(axis=0)
    index = np.arange(events)
    near = running[np.minimum(index + _KEY_EVENTS, events)] - running[np.maximum(index - _KEY_EVENTS, 0)]
    keys = find_keys(near)
    return np.where(keys < 12, keys, (keys + 3) % 12)


def _phases(onset: NDArray[np.int64], sixteenth_ticks: float) -> NDArray[np.int64]:
    """The sixteenth of the beat of each onset. Where most begin is the beat: upbeats and offsets are not marked."""
    sixteenths = np.round((onset - onset[0]) / sixteenth_ticks).astype(np.int64)
    phases: NDArray[np.int64] = (sixteenths - np.bincount(sixteenths % 4, minlength=4).argmax()) % 4
    return phases


def learn_table(
    corpora: Sequence[Corpus],
    *,
    min_pieces: int = 3,
    report: Callable[[str], None] = lambda _: None,
    advance: Callable[[], None] = lambda: None,
) -> Table:
    """Learn a table from `corpora`, each counting by its weight, whatever its size.

    A context and what follows it is kept only if it occurs in `min_pieces` pieces, and in one more for every two
    events of context. `report` is told of every
    file that is skipped, `advance` is called after every file.

    Raises:
        AntiphonError: there is nothing to learn from.
    """
    lines: list[PartEvents] = []
    pieces: list[int] = []
    weights: list[float] = []
    origin: list[dict[str, Any]] = []
    number = 0
    for corpus in corpora:
        first, first_piece = len(lines), number
        for path in corpus.files():
            try:
                for piece in read_pieces(path):
                    found = _lines(piece)
                    lines += found
                    pieces += [number] * len(found)
                    number += 1
            except AntiphonError as error:
                report(str(error))
            advance()
        events = sum(len(line.move) for line in lines[first:])
        weights += [corpus.weight / max(1, events)] * (len(lines) - first)
        origin.append({"name": corpus.name, "weight": corpus.weight, "pieces": number - first_piece, "events": events})
    if not lines:
        raise AntiphonError("there is nothing to learn from: no file in these folders could be read as music")
    if number >= 1 << 16:
        raise AntiphonError(f"{number} pieces are too many; a table is learnt from 65535 at most")
    counter = _Counter(lines, np.array(pieces, dtype=np.uint64), np.array(weights), min_pieces)
    voicing, shapes = counter.voicing()
    return Table(counter.line(), voicing, shapes, _metre(lines), {"corpora": origin, "min_pieces": min_pieces})


def _lines(piece: Piece) -> list[PartEvents]:
    return [read_line(part, on_grid=piece.on_grid) for part in piece.parts if len(part) >= 2]


@dataclass(frozen=True, slots=True)
class _Level:
    """What followed each context of one length."""

    keys: NDArray[np.uint64]
    counts: NDArray[np.int64]
    values: NDArray[np.uint64]
    shares: NDArray[np.uint8]
    confidence: NDArray[np.uint8]


class _Counter:
    """Counts contexts over all lines; each event weighs as its corpus does."""

    def __init__(
        self, lines: list[PartEvents], pieces: NDArray[np.uint64], weights: NDArray[np.float64], min_pieces: int
    ) -> None:
        lengths = [len(line.move) for line in lines]
        self._min_pieces = min_pieces
        self._piece = np.repeat(pieces, lengths)
        self._weight = np.repeat(weights, lengths)
        self._degree = np.concatenate([line.degree for line in lines])
        self._move = np.concatenate([line.move for line in lines])
        self._size = np.concatenate([line.size for line in lines])
        self._shape = np.concatenate([line.shape for line in lines])
        self._place = np.concatenate([np.arange(length) for length in lengths])
        """Index of each event in its line: that many came before it."""

    def line(self) -> Successors:
        """Contexts of the line: the event before, and up to `LINE_ORDER` moves that led to it."""
        levels = []
        for order in range(LINE_ORDER + 1):
            here = np.flatnonzero(self._place > order)
            moves = [self._move[here - 1 - back] for back in range(order)]
            *_, any_key, in_key = line_contexts(self._degree[here - 1], moves)
            spread = self._min_pieces + order // 2  # The longer, the nearer to one piece's own.
            levels += [self._level(key, self._move[here], here, spread) for key in (any_key, in_key)]
        return _join(levels)

    def voicing(self) -> tuple[Successors, NDArray[np.uint64]]:
        """Contexts of chords, and the shapes they name."""
        here = np.flatnonzero((self._size > 1) & (self._place > 0))
        shapes = self._common_shapes(here)
        index = np.searchsorted(shapes, self._shape[here]).clip(max=max(0, len(shapes) - 1))
        known = shapes[index] == self._shape[here] if len(shapes) else np.zeros(len(here), dtype=bool)
        here, index = here[known], index[known].astype(np.uint64)
        before = fold_shape(self._shape[here - 1])
        contexts = voicing_contexts(self._size[here], self._degree[here], before)
        return _join([self._level(key, index, here, self._min_pieces) for key in contexts]), shapes

    def _common_shapes(self, here: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The shapes that occur in most pieces, ascending."""
        order = np.lexsort((self._piece[here], self._shape[here]))
        shape, piece = self._shape[here][order], self._piece[here][order]
        fresh = np.ones(len(here), dtype=bool)
        fresh[1:] = (shape[1:] != shape[:-1]) | (piece[1:] != piece[:-1])
        shapes, spread = np.unique(shape[fresh], return_counts=True)
        shapes, spread = shapes[spread >= self._min_pieces], spread[spread >= self._min_pieces]
        return np.sort(shapes[np.argsort(-spread, kind="stable")[:_MAX_SHAPES]])

    def _level(
        self, key: NDArray[np.uint64], value: NDArray[np.uint64], here: NDArray[np.int64], min_pieces: int
    ) -> _Level:
        """Count `value` after `key`, at the events `here`; all of shape [N]."""
        packed = key << np.uint64(32) | value << np.uint64(16) | self._piece[here]
        order = np.argsort(packed, kind="stable")
        packed, weight = packed[order], self._weight[here][order]
        pair = packed >> np.uint64(16)
        first_of_piece = np.flatnonzero(np.diff(packed, prepend=~packed[:1]) != 0)
        first_of_pair = np.flatnonzero(np.diff(pair, prepend=~pair[:1]) != 0)
        spread = np.diff(np.searchsorted(first_of_piece, first_of_pair), append=0)
        if len(spread):
            spread[-1] = len(first_of_piece) - np.searchsorted(first_of_piece, first_of_pair[-1])
        mass = np.add.reduceat(weight, first_of_pair) if len(first_of_pair) else weight
        pair = pair[first_of_pair]
        return _prune(pair >> np.uint64(16), pair & np.uint64(0xFFFF), spread, mass, min_pieces)


def _prune(
    key: NDArray[np.uint64],
    value: NDArray[np.uint64],
    spread: NDArray[np.int64],
    mass: NDArray[np.float64],
    min_pieces: int,
) -> _Level:
    """Keep the pairs (sorted by key) that occur in enough pieces, `spread`, and at most `_MAX_SUCCESSORS` of a key."""
    keys, starts = np.unique(key, return_index=True)
    total = np.add.reduceat(mass, starts) if len(starts) else mass
    of_key = np.repeat(np.arange(len(keys)), np.diff(starts, append=len(key)))
    order = np.lexsort((value, -mass, of_key))
    rank = np.empty(len(key), dtype=np.int64)
    rank[order] = np.arange(len(key)) - starts[of_key]
    kept = (spread >= min_pieces) & (rank < _MAX_SUCCESSORS)
    of_key, value, spread, mass = of_key[kept], value[kept], spread[kept], mass[kept]

    used, begins = np.unique(of_key, return_index=True)
    if not len(used):
        return _Level(keys[:0], starts[:0], value, mass.astype(np.uint8), mass.astype(np.uint8))
    counts = np.diff(begins, append=len(of_key))
    heaviest = np.maximum.reduceat(mass, begins)
    shares = np.maximum(1, np.round(255 * mass / np.repeat(heaviest, counts)))
    occurrences = np.add.reduceat(spread, begins)
    # What was left out, and what was never heard (PPM method C: see `model.Memory.predict`).
    confidence = np.add.reduceat(mass, begins) / total[used] * (occurrences / (occurrences + counts))
    return _Level(
        keys[used], counts, value, shares.astype(np.uint8), np.maximum(1, np.round(255 * confidence)).astype(np.uint8)
    )


def _join(levels: Sequence[_Level]) -> Successors:
    """All levels in one; of contexts whose hashes collide the first is kept."""
    keys, first = np.unique(np.concatenate([level.keys for level in levels]), return_index=True)
    counts = np.concatenate([level.counts for level in levels])
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])[:-1]
    counts, starts = counts[first].astype(np.int64), starts[first]
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    # The successors of each context that is kept, in the order of the contexts.
    take = np.arange(int(ends[-1])) - np.repeat(ends[:-1] - starts, counts)
    return Successors(
        keys.astype(np.uint32),
        ends,
        np.concatenate([level.values for level in levels])[take].astype(np.uint16),
        np.concatenate([level.shares for level in levels])[take],
        np.concatenate([level.confidence for level in levels])[first],
    )


def _metre(lines: Sequence[PartEvents]) -> NDArray[np.float32]:
    """How much likelier than elsewhere each note value is from each place in a beat; 1 off the beat's sixteenths."""
    counts = np.ones((BEAT_PHASES - 1, len(GAP_SIXTEENTHS)))
    for line in lines:
        if len(line.phase) and line.phase[0] >= 0:
            np.add.at(counts, (line.phase[:-1], line.gap[1:].astype(np.int64)), 1)
    ratio = counts / counts.sum(axis=1, keepdims=True) / (counts.sum(axis=0) / counts.sum())
    return np.concatenate([ratio, np.ones((1, len(GAP_SIXTEENTHS)))]).astype(np.float32)
