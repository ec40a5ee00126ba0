"""How a phrase is made: density, chords, lengths, moves, touch, and what returns in it. It knows no key or pulse."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows
from antiphon.notes import TICKS_PER_BEAT
from antiphon_export.report.events import event_starts, figures, onsets_of, top_line
from antiphon_export.training.pieces import TICKS_PER_SECOND

_SHORT_SECONDS: Final = 0.06
"""Below this a listener hears a click rather than a note."""


def onsets_a_beat(rows: NoteRows, length_ticks: int) -> float:
    """Events over beats of 480 ticks; 0 of no note."""
    return len(onsets_of(rows)) / (length_ticks / TICKS_PER_BEAT)


def notes_an_onset(rows: NoteRows) -> float:
    """Notes over events: 1 is a single line. NaN of no note."""
    starts = event_starts(rows)
    return len(rows) / len(starts) if len(starts) else float("nan")


def length_beats(rows: NoteRows) -> float:
    """Mean length of a note, in beats of 480 ticks. NaN of no note."""
    return _mean(rows[:, 2]) / TICKS_PER_BEAT


def leap_semitones(rows: NoteRows) -> float:
    """Mean size of the top line's moves, in semitones. NaN of fewer than two events."""
    return _mean(np.abs(np.diff(top_line(rows))))


def share_of_steps(rows: NoteRows) -> float:
    """Of the top line's moves to another pitch, the share by one or two semitones. NaN if it never moves."""
    motion = np.abs(np.diff(top_line(rows)))
    return _mean(motion[motion > 0] <= 2)


def velocity_above(rows: NoteRows, call: NoteRows) -> float:
    """Mean MIDI velocity, less that of the call. NaN if either has no note."""
    return _mean(rows[:, 3]) - _mean(call[:, 3])


def velocity_deviation(rows: NoteRows) -> float:
    """Standard deviation of MIDI velocities. NaN of no note."""
    return float(rows[:, 3].std()) if len(rows) else float("nan")


def share_of_short(rows: NoteRows) -> float:
    """Of the notes, the share shorter than 60 ms, a tick being 1/960 s. NaN of no note."""
    return _mean(rows[:, 2] < _SHORT_SECONDS * TICKS_PER_SECOND)


def motif_recurrence(rows: NoteRows, call: NoteRows) -> float:
    """Of the figures of three moves (`events.figures`), the share that the call has, too. NaN if there is none."""
    known = set(figures(call))
    return _mean(np.array([figure in known for figure in figures(rows)]))


def repetition(rows: NoteRows) -> float:
    """Of the figures of three moves (`events.figures`), the share that came before in the same phrase."""
    played = figures(rows)
    return 1 - len(set(played)) / len(played) if played else float("nan")


def rest_at_end_beats(rows: NoteRows, end_ticks: int) -> float:
    """From the last onset to the end of the phrase, in beats of 480 ticks, whether it is held or let go there."""
    return (end_ticks - int(rows[:, 0].max())) / TICKS_PER_BEAT if len(rows) else float("nan")


def last_bar_density(rows: NoteRows, start_ticks: int, end_ticks: int, bar_ticks: int) -> float:
    """Events in the last bar, over events a bar in the whole phrase: 1 goes on as before, 0 is a silent bar."""
    onsets = onsets_of(rows)
    if not len(onsets):
        return float("nan")
    return float((onsets >= end_ticks - bar_ticks).sum() / (len(onsets) / ((end_ticks - start_ticks) / bar_ticks)))


def _mean(values: NDArray[np.int64] | NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
