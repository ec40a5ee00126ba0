"""Answers beside real continuations, real endings and chance, statistic by statistic. It plays nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows, rows_of
from antiphon_export.report.excerpts import Excerpt
from antiphon_export.report.findings import Row
from antiphon_export.report.harmony import change_delay_beats, chord_agreement, chord_tones_under
from antiphon_export.report.musician import BAR_TICKS
from antiphon_export.report.songs import Song
from antiphon_export.report.spread import distance, half_spread, mean
from antiphon_export.report.statistics import STATISTICS, HeardCall, measured
from antiphon_export.report.tonality import find_key


def statistic_rows(
    found: Sequence[Excerpt],
    heard: Sequence[HeardCall],
    ends: Sequence[Excerpt],
    played: NDArray[np.float64],
    random: np.random.Generator,
) -> list[Row]:
    """All `STATISTICS` of what was `played` [A, S] in answer to the calls of `found`, which were `heard`.

    `ends`: excerpts at the ends of pieces.
    """
    real = np.array([measured(call, excerpt.continuation) for call, excerpt in zip(heard, found, strict=True)])
    strange = np.array([measured(call, found[_other(found, i)].continuation) for i, call in enumerate(heard)])
    end_calls = [HeardCall.of(excerpt.call) for excerpt in ends]
    shape = (len(ends), len(STATISTICS))
    ended = np.array([measured(c, e.continuation) for c, e in zip(end_calls, ends, strict=True)]).reshape(shape)
    strange_ends = np.array([measured(c, ends[i - 1].continuation) for i, c in enumerate(end_calls)]).reshape(shape)
    pieces, end_pieces = (np.array([excerpt.piece for excerpt in group]) for group in (found, ends))
    rows = []
    for index, statistic in enumerate(STATISTICS):
        at_end = statistic.beside == "endings"
        rows.append(
            _row(
                statistic.name,
                statistic.decimals,
                statistic.beside,
                real=real[:, index],
                endings=ended[:, index],
                chance=(strange_ends if at_end else strange)[:, index] if statistic.of_call else np.zeros(0),
                answers=played[:, index],
                spread=half_spread((ended if at_end else real)[:, index], end_pieces if at_end else pieces, random),
            )
        )
    return rows


def _row(
    name: str,
    decimals: int,
    beside: str,
    *,
    real: NDArray[np.float64],
    endings: NDArray[np.float64],
    chance: NDArray[np.float64],
    answers: NDArray[np.float64],
    spread: float,
) -> Row:
    compared = mean(endings if beside == "endings" else real)
    means = mean(real), mean(endings), mean(chance), mean(answers)
    distances = distance(means[3], compared, spread), distance(means[2], compared, spread)
    return Row(name, decimals, beside, *means, spread, *distances)


def _other(found: Sequence[Excerpt], index: int) -> int:
    """An excerpt of another piece, far from `index`."""
    count = len(found)
    places = [(index + count // 2 + step) % count for step in range(count)]
    return next(place for place in places if found[place].piece != found[index].piece)


def accompaniment_rows(
    found: Sequence[Song], accompaniments: Sequence[NoteRows], random: np.random.Generator
) -> list[Row]:
    """What `accompaniments` were under the melodies of `found`, round and round, beside those of the pianist.

    Chance is the accompaniment of another song, moved into this one's key. Where the pianist is the measure, the
    pianist agrees wholly, and there is no spread.
    """
    played = np.array([_along(found[i % len(found)], rows) for i, rows in enumerate(accompaniments)])
    real = np.array([_along(song, song.accompaniment) for song in found])
    strange = np.array([_along(song, _in_key_of(song, found[i - 1])) for i, song in enumerate(found)])
    names = (("chord tones under strong notes", 2), ("chords as the pianist's", 2), ("late at a change, beats", 2))
    return [
        _row(
            name,
            decimals,
            "accompaniments",
            real=real[:, index],
            endings=np.zeros(0),
            chance=strange[:, index],
            answers=played[:, index],
            spread=half_spread(real[:, index], np.arange(len(found)), random) if index == 0 else float("nan"),
        )
        for index, (name, decimals) in enumerate(names)
    ]


def _in_key_of(song: Song, other: Song) -> NoteRows:
    """The other song's accompaniment, moved by the shortest way to the tonic of this one's."""
    here, there = find_key(song.accompaniment), find_key(other.accompaniment)
    if here is None or there is None:
        return other.accompaniment
    moved: NoteRows = other.accompaniment + np.array([0, (here.tonic - there.tonic + 6) % 12 - 6, 0, 0])
    return moved


def _along(song: Song, rows: NoteRows) -> tuple[float, float, float]:
    """The three figures of an accompaniment, from the second bar on: before that nobody knows the song."""
    melody = rows_of(song.melody.notes)
    span = (BAR_TICKS, song.melody.end_ticks)
    return (
        chord_tones_under(melody[melody[:, 0] >= BAR_TICKS], rows),
        chord_agreement(rows, song.accompaniment, *span),
        change_delay_beats(rows, song.accompaniment, *span),
    )
