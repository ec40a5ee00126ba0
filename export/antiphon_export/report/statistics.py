"""What the report measures of an answer, in one table: name, what it says, and the function. It prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from antiphon.music.note_rows import NoteRows, rows_of
from antiphon.notes import Phrase
from antiphon_export.report import pulse, texture, tonality
from antiphon_export.report.events import Onsets, onsets_of
from antiphon_export.report.musician import BAR_TICKS

_NAN: Final = float("nan")
FEWEST_NOTES: Final = 3
"""Of fewer nothing is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class HeardCall:
    """A call, with what a listener takes from it."""

    rows: NoteRows
    onsets: Onsets
    key: tonality.Key | None
    pulse: pulse.PulseGrid | None
    """None in free time: then nothing is asked of the answer's pulse."""

    @classmethod
    def of(cls, call: Phrase) -> HeardCall:
        """Listen to `call`."""
        rows = rows_of(call.notes)
        onsets = onsets_of(rows)
        return cls(rows, onsets, tonality.find_key(rows), pulse.find_pulse(onsets))


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What follows a call."""

    rows: NoteRows
    onsets: Onsets
    start_ticks: int
    end_ticks: int

    @classmethod
    def of(cls, phrase: Phrase) -> Played:
        """`phrase`, as arrays."""
        rows = rows_of(phrase.notes)
        return cls(rows, onsets_of(rows), phrase.start_ticks, phrase.end_ticks)


@dataclass(frozen=True, slots=True)
class Statistic:
    """One row of the report."""

    name: str
    decimals: int
    measure: Callable[[HeardCall, Played], float]
    """Of an answer to a call; NaN where it does not apply."""
    beside: Literal["continuations", "endings"] = "continuations"
    """Which real music it is compared with: how pieces go on, or how they end."""
    of_call: bool = True
    """Whether another piece differs from this one in it; if not, there is no chance."""


def _keyed(measure: Callable[[NoteRows, tonality.Key], float]) -> Callable[[HeardCall, Played], float]:
    return lambda call, played: _NAN if call.key is None else measure(played.rows, call.key)


def _pulsed(measure: Callable[[Onsets, pulse.PulseGrid], float]) -> Callable[[HeardCall, Played], float]:
    return lambda call, played: _NAN if call.pulse is None else measure(played.onsets, call.pulse)


def _alone(measure: Callable[[NoteRows], float]) -> Callable[[HeardCall, Played], float]:
    return lambda _, played: measure(played.rows)


def _groove(call: HeardCall, played: Played) -> float:
    return _NAN if call.pulse is None else pulse.groove_likeness(call.onsets, played.onsets, call.pulse)


def _density(_: HeardCall, played: Played) -> float:
    return texture.onsets_a_beat(played.rows, played.end_ticks - played.start_ticks)


def _last_bar(_: HeardCall, played: Played) -> float:
    return texture.last_bar_density(played.rows, played.start_ticks, played.end_ticks, BAR_TICKS)


STATISTICS: Final = (
    Statistic("in the key", 2, _keyed(tonality.share_in_key)),
    Statistic("pitch classes shared", 2, lambda call, played: tonality.pitch_class_overlap(call.rows, played.rows)),
    Statistic("clashes", 2, _alone(tonality.clashes), of_call=False),
    Statistic("strength at the pulse", 2, _pulsed(pulse.strength)),
    Statistic("near the grid", 2, _pulsed(pulse.share_near)),
    Statistic("same pulse", 2, _pulsed(pulse.same_period)),
    Statistic("groove alike", 2, _groove),
    Statistic("rhythm alike", 2, lambda call, played: pulse.rhythm_likeness(call.onsets, played.onsets)),
    Statistic("gap entropy, bits", 2, lambda _, played: pulse.gap_entropy(played.onsets), of_call=False),
    Statistic("motif returns", 2, lambda call, played: texture.motif_recurrence(played.rows, call.rows)),
    Statistic("repeats itself", 2, _alone(texture.repetition), of_call=False),
    Statistic("onsets a beat", 2, _density, of_call=False),
    Statistic("notes an onset", 2, _alone(texture.notes_an_onset), of_call=False),
    Statistic("length, beats", 2, _alone(texture.length_beats), of_call=False),
    Statistic("under 60 ms", 3, _alone(texture.share_of_short), of_call=False),
    Statistic("leap, semitones", 1, _alone(texture.leap_semitones), of_call=False),
    Statistic("steps", 2, _alone(texture.share_of_steps), of_call=False),
    Statistic(
        "velocity − call's", 1, lambda call, played: texture.velocity_above(played.rows, call.rows), of_call=False
    ),
    Statistic("velocity deviation", 1, _alone(texture.velocity_deviation), of_call=False),
    Statistic("ends in the tonic triad", 2, _keyed(tonality.last_in_tonic_triad), "endings"),
    Statistic("tonic in the last bass", 2, _keyed(tonality.last_bass_on_tonic), "endings"),
    Statistic(
        "rest at the end, beats",
        2,
        lambda _, played: texture.rest_at_end_beats(played.rows, played.end_ticks),
        "endings",
        of_call=False,
    ),
    Statistic("density of the last bar", 2, _last_bar, "endings", of_call=False),
)
"""All of them, in the order of the table."""


def measured(call: HeardCall, phrase: Phrase) -> NDArray[np.float64]:
    """All `STATISTICS` of `phrase`, which answers `call`; all NaN if it has fewer than 3 notes. Shape [S]."""
    if len(phrase.notes) < FEWEST_NOTES:
        return np.full(len(STATISTICS), _NAN)
    played = Played.of(phrase)
    return np.array([statistic.measure(call, played) for statistic in STATISTICS])
