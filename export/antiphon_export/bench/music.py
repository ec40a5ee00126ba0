"""How what a generator plays compares with real music: four bars of a piece are heard, four are played."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.codec import NoteRows, notes_of, rows_of
from antiphon.errors import AntiphonError
from antiphon.generator import Casting, GeneratorInfo, MakeGenerator, Request
from antiphon.hearing import told
from antiphon.notes import Note, Phrase
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.pieces import Piece, files_of, read_performance, read_score

BAR_TICKS: Final = 1920
CALL_BARS: Final = 4
_FEWEST_NOTES: Final = 8
_CHORD_TICKS: Final = 30
"""Notes that begin closer together are one event."""


@dataclass(frozen=True, slots=True)
class Musician:
    """A generator, and with what it is made."""

    info: GeneratorInfo
    make: MakeGenerator
    model: str | None = None
    controls: Mapping[str, float] | None = None

    def answer(self, call: Phrase, bars: int = CALL_BARS, seed: int = 0) -> Phrase:
        """Its continuation of `call`, asked for bar by bar."""
        player = self.make(Casting(seed, self.model))
        player.prime(call)
        controls = self.info.resolve_controls(self.controls or {})
        notes: list[Note] = []
        start = call.end_ticks
        for bar in range(bars):
            left = (bars - bar) * BAR_TICKS
            request = Request(start, BAR_TICKS, controls, final=bar == bars - 1, left_ticks=left)
            notes += player.extend(told(request, call.notes)).notes
            start = request.end_ticks
        return Phrase(call.end_ticks, start, tuple(notes))

    def read(self, corpus: Corpus, split: str) -> Iterator[Piece]:
        """The pieces of a split as this generator would hear them: on the grid if it follows beats, else as played."""
        read = read_score if self.info.follows == "beat" else read_performance
        for path in files_of(corpus, split):
            try:
                yield from read(path, split)
            except AntiphonError:
                continue


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A call from the middle of a piece, and how the piece goes on."""

    call: Phrase
    continuation: Phrase


def excerpts(pieces: Iterable[Piece], most: int) -> list[Excerpt]:
    """One excerpt of each piece that has enough notes there; `most` at most."""
    found: list[Excerpt] = []
    for piece in pieces:
        rows = piece.parts[0]
        middle = int(rows[len(rows) // 2, 0])
        if piece.bar_ticks is not None:
            middle = int(piece.bar_ticks[np.searchsorted(piece.bar_ticks, middle, side="right") - 1])
        # A generator hears bars at multiples of the bar's length.
        moved = rows - np.array([middle - CALL_BARS * BAR_TICKS, 0, 0, 0])
        call, continuation = (_phrase(moved, bars * BAR_TICKS) for bars in (0, CALL_BARS))
        if min(len(call.notes), len(continuation.notes)) >= _FEWEST_NOTES:
            found.append(Excerpt(call, continuation))
        if len(found) == most:
            break
    return found


def _phrase(rows: NoteRows, start: int) -> Phrase:
    end = start + CALL_BARS * BAR_TICKS
    inside = rows[(rows[:, 0] >= start) & (rows[:, 0] < end)]
    _, first = np.unique(inside[:, 0] << 7 | inside[:, 1], return_index=True)
    return Phrase(start, end, notes_of(inside[first]))


FEATURES: Final[tuple[tuple[str, int], ...]] = (
    ("onsets a beat", 2),
    ("notes an onset", 2),
    ("sounding at once", 2),
    ("gap, beats", 2),
    ("length, beats", 2),
    ("leap, semitones", 1),
    ("steps", 2),
    ("pitch classes shared", 2),
    ("velocity - call's", 1),
    ("its deviation", 1),
)
"""What is measured of a phrase, and with how many decimals it is told. Leaps are those of the highest note from onset
to onset, steps the share of its moves by 1 or 2 semitones; pitch classes are those shared with the call; lengths and
gaps are means."""


def features(call: Phrase, phrase: Phrase) -> NDArray[np.float64]:
    """`FEATURES` of `phrase`, which answers `call`; all NaN if it has fewer than 3 notes."""
    if len(phrase.notes) < 3:
        return np.full(len(FEATURES), np.nan)
    notes = rows_of(phrase.notes)
    onsets, pitches, lengths, velocities = notes.T
    starts = np.flatnonzero(np.diff(onsets, prepend=-(10**9)) > _CHORD_TICKS)
    lead = np.maximum.reduceat(pitches, starts)
    gaps = np.diff(onsets[starts])
    motion = np.abs(np.diff(lead))
    moving = motion[motion > 0]
    heard = rows_of(call.notes)
    beats = phrase.length_ticks / 480
    within = np.minimum(onsets + lengths, phrase.end_ticks) - onsets
    shared = np.minimum(_classes(heard), _classes(notes)).sum() if len(heard) else np.nan
    return np.array(
        [
            len(starts) / beats,
            len(notes) / len(starts),
            within.sum() / phrase.length_ticks,
            _mean(gaps) / 480,
            _mean(lengths) / 480,
            _mean(motion),
            _mean(moving <= 2),
            shared,
            _mean(velocities) - _mean(heard[:, 3]),
            velocities.std(),
        ]
    )


def _mean(values: NDArray[np.int64] | NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _classes(notes: NoteRows) -> NDArray[np.float64]:
    counts = np.bincount(notes[:, 1] % 12, minlength=12)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def compare(
    musician: Musician, corpora: Sequence[Corpus], calls: int, tell: Callable[[str], None]
) -> tuple[dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]], list[Excerpt], list[Phrase]]:
    """By corpus, mean features of real continuations and of the generator's; and the excerpts with its answers."""
    table: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    all_excerpts: list[Excerpt] = []
    all_answers: list[Phrase] = []
    for corpus in corpora:
        found = excerpts(musician.read(corpus, "valid"), calls)
        if not found:
            tell(f"{corpus.name} has no pieces to try")
            continue
        tell(f"{corpus.name}: answering {len(found)} calls")
        answers = [musician.answer(excerpt.call) for excerpt in found]
        real = [features(excerpt.call, excerpt.continuation) for excerpt in found]
        played = [features(excerpt.call, answer) for excerpt, answer in zip(found, answers, strict=True)]
        table[corpus.name] = (np.nanmean(real, axis=0), np.nanmean(played, axis=0))
        all_excerpts += found
        all_answers += answers
    return table, all_excerpts, all_answers
