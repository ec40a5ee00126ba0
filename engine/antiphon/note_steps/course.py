"""What one request asks a line of notes to keep to: key, pulse, limits, beginning and end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Request
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.note_steps.manner import LATTICE, Manner
from antiphon.note_steps.spans import BEAT_UNITS, FREE_UNIT_SECONDS, Units
from antiphon.notes import TICKS_PER_BEAT, Note
from antiphon.taste.course import (
    CHORD_PART,
    LEAST_SECONDS,
    below_nats,
    counts_of,
    foreign_nats,
    last_notes,
    register_nats,
    thinness_nats,
)
from antiphon.taste.ending import Ending
from antiphon.taste.motif import Event, Motif
from antiphon.tokens.controls import SamplingSettings
from antiphon.tokens.pitch_mask import pitch_mask

_SPREAD: Final = {"free": 3, "beat": 0}
"""Units by which the notes of a chord are apart, at most, where a pulse is kept."""
_LEAST: Final = {"free": 3, "beat": 2}
"""Units that a note lasts, at least."""
_STRAIGHT, _TRIPLETS = (0, 6, 12, 18), (0, 8, 16)
"""Units of a beat that straight music falls on, and triplets and swing."""
_THICK: Final = 1.0
"""Nats that a further note gains in an accompaniment where `stay` is 1, for each that the chord wants yet."""
_WHOLE: Final = 2.0
"""Nats that a note of the player's chord gains which does not sound yet, where `stay` is 1."""
_BASS: Final = 4.0
"""Nats that the root of that chord gains in the bass as long as nothing sounds there."""
_LOWEST, _HIGHEST = 31, 50
"""Where the bass of an accompaniment lies."""
_LONGEST_BEATS: Final = 2.0
"""Beside a player, whose next chord is not known, no note lasts longer."""
_NEITHER: Final = 12.0
"""Nats that all other units cost."""
_MOTIF: Final = 1.0
"""Nats that going on as the call did gains for each move that agrees, where `motif` is 1; half as much for gaps."""
_MOTIF_UNITS: Final = 3
"""So near the moment, in units, it is the call's gap."""
_STRAYS: Final = (0, 1, -1, 2, -2, 3, -3, 4, -4)
"""Units around one, the nearest first: one of these is a place. Half a beat is swung to its second third."""
_NEAR_THIRD: Final = 0.07
"""So near a third of a beat, a place is a triplet's."""

Pitches = NDArray[np.bool_]
"""A mask over MIDI note numbers, shape [128]."""


@dataclass(frozen=True, slots=True, eq=False)
class NoteCourse:
    """What a line keeps to. Times are in units of the manner's clock."""

    manner: Manner
    settings: SamplingSettings
    key: Key | None
    pulse: Pulse | None
    firmness: float
    """How much of what would fall between two places of the pulse goes to one, 0 to 1."""
    ending: Ending | None
    start: int
    """Nothing begins before it."""
    opens: bool
    """Whether the first note is wanted right there."""
    playable: Pitches
    polyphony: int
    costs: NDArray[np.float32]
    """Nats that each pitch costs for lying outside the key, the chord or the register of what was heard, [128]."""
    chord: frozenset[int]
    """Pitch classes of the chord that the player suggests; none where they do not play on."""
    longest: int | None
    """How long a note may last where the player's next chord is not known; None: as long as it likes."""
    thinness: float
    """Nats that a further note of a chord costs, whatever chord is heard."""
    places: NDArray[np.bool_]
    """Units of a beat, [BEAT_UNITS], that what is played to the beat falls on: those of the call's sixteenths or of
    its triplets and swing; all of these, if no pulse is heard.
    """
    tonic: Pitches
    """Playable ones of the tonic triad; where there are none, all playable ones."""
    motif: Motif | None
    """What the call is made of, if that is to be taken up."""
    closeness: float
    """How closely, 0 to 1."""

    @classmethod
    def of(cls, request: Request, manner: Manner, call: Sequence[Note]) -> NoteCourse:
        """The course of `request`, which answers `call`."""
        settings = SamplingSettings.of(request.controls)
        closeness = request.controls.get("motif", 0.0)
        playable = pitch_mask(request.constraints)
        # Drums have no key; and what is played to the beat keeps to that beat.
        key = None if manner.style == "drums" else request.key
        chord = (manner.style != "drums" and request.chord) or frozenset()
        pulse = request.pulse if manner.clock == "free" and settings.stay else None
        classes, tonic = np.arange(128) % 12, playable
        costs = foreign_nats(key, request.chord, settings.stay)[classes]
        if request.beside:
            costs += below_nats([note.pitch for note in call], settings.stay)
        else:
            costs += register_nats([note.pitch for note in call], settings.stay)
        if key is not None:
            home = playable & np.isin(classes, sorted(key.triad))
            tonic = home if home.any() else playable
        return cls(
            manner,
            settings,
            key,
            pulse,
            settings.stay * request.pulse.confidence if request.pulse is not None else 0.0,
            Ending.of(request, pulse),
            int(np.ceil(request.start_ticks / manner.unit_ticks)),
            request.opens,
            playable,
            request.constraints.polyphony,
            costs,
            chord,
            None if request.chord is None else _longest(request.pulse, manner),
            _thinness(request, chord, call, settings.stay),
            _places(request.pulse),
            tonic,
            Motif.of(call, key) if closeness and manner.style != "drums" else None,
            closeness,
        )

    @property
    def spread(self) -> int:
        """How far the notes of a chord are apart, at most."""
        return _SPREAD[self.manner.clock]

    @property
    def least(self) -> int:
        """The shortest that a note may be."""
        return _LEAST[self.manner.clock] if self.pulse is None else round(LEAST_SECONDS / FREE_UNIT_SECONDS)

    @property
    def last(self) -> int | None:
        """When the last chord falls; None if that is not known."""
        return None if self.ending is None else max(self.start, self._nearest(self.ending.last_ticks))

    @property
    def rest(self) -> int:
        """When the last chord is over; -1 if that is not known."""
        return -1 if self.ending is None else self._nearest(self.ending.rest_ticks)

    def ends_at(self, onset: int) -> bool:
        """Whether what is struck at `onset` is the last chord."""
        return self.last is not None and onset >= self.last

    def last_pitches(self, free: Pitches, lately: list[int], last_pitch: int | None) -> Pitches:
        """Of the pitches `free`, those that the last chord may have now; `last_pitch`: what was struck of it."""
        pitches = np.arange(128)
        found = free & last_notes(self.tonic & free, pitches, lately, last_pitch)
        return found if found.any() or last_pitch is not None else free

    def further_nats(self, sounding: Iterable[int]) -> float:
        """How much a further note of a chord is favoured, where the pitches `sounding` sound already."""
        return _THICK * self.settings.stay * len(self._missing(sounding)) - self.thinness

    def missing_nats(self, sounding: Collection[int]) -> NDArray[np.float32]:
        """How much each pitch is favoured for making the player's chord whole, from the bass up, where the pitches
        `sounding` do not, [128].
        """
        pitches, nats = np.arange(128), np.zeros(128, dtype=np.float32)
        nats[np.isin(pitches % 12, sorted(self._missing(sounding)))] = _WHOLE
        if self.chord and min(sounding, default=128) > _HIGHEST:
            roots = [one for one in self.chord if (one + 7) % 12 in self.chord]
            nats[np.isin(pitches % 12, roots) & (pitches >= _LOWEST) & (pitches <= _HIGHEST)] += _BASS
        return nats * self.settings.stay

    def _missing(self, sounding: Iterable[int]) -> frozenset[int]:
        return self.chord - {pitch % 12 for pitch in sounding}

    def motif_nats(self, tune: Sequence[Event]) -> NDArray[np.float32]:
        """How much each pitch is favoured for going on with `tune` as the call did, [128]."""
        nats = np.zeros(128, dtype=np.float32)
        for pitch, weight in (self.motif.pitches(tune) if self.motif else {}).items():
            if 0 <= pitch < 128:
                nats[pitch] = _MOTIF * self.closeness * weight
        return nats

    def time_nats(self, onsets: Units, tune: Sequence[Event]) -> NDArray[np.float64]:
        """How much each of `onsets` [N] is favoured: those with which `tune` goes on as the call did, the call's own
        places of the pulse, the beat before an end.
        """
        nats = self._place_nats(onsets)
        for ticks, weight in (self.motif.onsets(tune) if self.motif else {}).items():
            near = np.abs(onsets - ticks / self.manner.unit_ticks) <= _MOTIF_UNITS
            nats[near] += _MOTIF * self.closeness * weight / 2
        return nats

    def _place_nats(self, onsets: Units) -> NDArray[np.float64]:
        if self.manner.clock == "beat":
            return np.where(LATTICE[onsets % BEAT_UNITS], 0.0, -_NEITHER)
        if self.pulse is None:
            return np.zeros(len(onsets))
        ticks = onsets * self.manner.unit_ticks
        places = np.array(self.pulse.around(float(ticks.min()), float(ticks.max())))
        middles = (places[1:] + places[:-1]) / 2
        counts = counts_of(self.pulse, places, self.settings.stay, self.ending)[np.searchsorted(middles, ticks)]
        nats: NDArray[np.float64] = self.firmness * np.log(counts)
        return nats

    def settled(self, onset: int, now: int, begun: bool, chance: float) -> int:
        """Where what would be struck at `onset` is struck: mostly on a place of the pulse, or in the chord that began
        at `now`; before the end not right before the last chord, but with it. `chance`: 0 <= chance < 1.
        """
        if self.manner.clock == "beat":
            places = self.places if chance < self.firmness else LATTICE
            around = (onset + stray for stray in _STRAYS)
            onset = now if onset == now else next(near for near in around if places[near % BEAT_UNITS])
        elif self.pulse is not None and chance < self.firmness:
            onset = self._on_place(onset, now, begun)
        last = self.last
        if last is not None and self.ending is not None:
            hush = self.ending.hush_ticks / self.manner.unit_ticks
            onset = last if now < last and onset >= hush else onset
        return onset

    def _on_place(self, onset: int, now: int, begun: bool) -> int:
        assert self.pulse is not None
        unit, spread = self.manner.unit_ticks, self.spread + 0.5
        here = self.pulse.nearest(now * unit)
        soon = max(self.start - 0.5, now + spread) * unit
        places = [place for place in self.pulse.around(soon, onset * unit + self.pulse.beat_ticks) if place > soon]
        if begun and abs(now * unit - here) <= spread * unit:
            chord = here + CHORD_PART * (places[0] - here)
            if onset * unit <= chord:
                return max(now, min(onset, int(here / unit + spread)))
        return self._nearest(min(places, key=lambda place: abs(place - onset * unit)))

    def _nearest(self, ticks: float) -> int:
        return round(ticks / self.manner.unit_ticks)


def _thinness(request: Request, chord: frozenset[int], call: Sequence[Note], stay: float) -> float:
    if not request.beside:
        return thinness_nats(call, stay)
    return 0.0 if chord else -_THICK * stay  # A chord says by itself what it wants yet.


def _longest(pulse: Pulse | None, manner: Manner) -> int:
    beat_ticks = TICKS_PER_BEAT if pulse is None else pulse.beat_ticks
    return round(_LONGEST_BEATS * beat_ticks / manner.unit_ticks)


def _places(pulse: Pulse | None) -> NDArray[np.bool_]:
    if pulse is None:
        return LATTICE
    has_triplets = any(abs(place - third) < _NEAR_THIRD for place in pulse.places for third in (1 / 3, 2 / 3))
    return np.isin(np.arange(BEAT_UNITS), _TRIPLETS if has_triplets else _STRAIGHT)
