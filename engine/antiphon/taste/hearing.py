"""What a generator is told of what was heard, and how much of it a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from antiphon.generator import Constraints, Request
from antiphon.music.pulse import heard_pulse
from antiphon.music.tonality import heard_key, scale_of
from antiphon.notes import Note
from antiphon.taste.harmony import suggested_chord

_CALL_NOTES: Final = 64
"""How many notes back the beginning of a call is looked for."""
_PAUSE_TICKS: Final = 720
"""Between two onsets: after such a time a new call begins."""


def told(request: Request, heard: Sequence[Note]) -> Request:
    """`request` with the key and the pulse of `heard`, in score order, and beside the player the chord that goes
    with it: a function of these notes and of nothing else.

    What `request` says already stands. Where the player plays on, what the voice itself plays says nothing.
    """
    if request.beside:
        heard = [note for note in heard if not note.own]
    call = since(heard, request.call_ticks)
    key = request.key or heard_key(heard)
    chord = request.chord
    if request.beside and chord is None and key is not None:
        chord = suggested_chord(heard, key, request.start_ticks)
    return replace(request, key=key, pulse=request.pulse or heard_pulse(call, request.tempo_bpm), chord=chord)


def since(heard: Sequence[Note], ticks: int | None) -> Sequence[Note]:
    """The notes of `heard`, in score order, that begin at `ticks` or later; all of them where it is not known."""
    if ticks is None:
        return heard
    first = len(heard)
    while first and heard[first - 1].start_ticks >= ticks:
        first -= 1
    return heard[first:]


def within_scale(constraints: Constraints, notes: Sequence[Note]) -> Constraints:
    """`constraints`, narrowed to the scale of `notes` if they tell one that has a note in range."""
    scale = scale_of(notes)
    pitches = range(constraints.low_pitch, constraints.high_pitch + 1)
    if scale is None or not any(pitch % 12 in scale for pitch in pitches):
        return constraints
    return replace(constraints, scale=scale)


def recent(notes: Sequence[Note], least: int) -> tuple[Note, ...]:
    """The last of `notes`, at least `least`, from one that seldom changes, for a model must then read them all anew.

    It changes as a call begins, if it can: then there is time, for the answer is far.
    """
    onsets = [note.start_ticks for note in notes[-_CALL_NOTES:]]
    pauses = (place for place in range(len(onsets) - 1, 0, -1) if onsets[place] - onsets[place - 1] >= _PAUSE_TICKS)
    since = len(onsets) - next(pauses, len(onsets) - 1)
    first = max(0, (len(notes) - since + 1 - least) // least * least)
    return tuple(notes[first:])
