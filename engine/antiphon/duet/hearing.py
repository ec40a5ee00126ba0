"""What a generator is told of what was heard: key and pulse, added to a request. It plays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from antiphon.generator import Constraints, Request
from antiphon.music.pulse import heard_pulse
from antiphon.music.tonality import heard_key, scale_of
from antiphon.notes import Note


def told(request: Request, heard: Sequence[Note]) -> Request:
    """`request` with the key and the pulse of `heard`, in score order: a function of these notes and of nothing else.

    What `request` says already stands.
    """
    call = since(heard, request.call_ticks)
    return replace(
        request,
        key=request.key or heard_key(heard),
        pulse=request.pulse or heard_pulse(call, request.tempo_bpm),
    )


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
