"""The data of the LSTM and Transformer study, token for token. It reads for comparison only: nothing is improved.

The study reads MIDI with muspy 0.5.0, as `muspy.read(f).adjust_resolution(4).infer_barlines()`. Here is the same
arithmetic without that package: times are rounded to sixteenths one by one (half to even), notes that become empty
are lost, drums count as notes, and a barline stands wherever a time signature begins. It alone reads files with mido,
as muspy does, and refuses what that refuses: another reader would give other tokens.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.tokens.codec import Tokens
from antiphon.tokens.grid_tokens import folded, grid_tokens, split_bars, split_notes

STUDY_WINDOW = 257
"""Tokens in a window of the study: 256 are predicted, each from those before it."""
_STEPS_PER_BEAT = 4
_MOST_BARS = 100_000
_TIMED_EVENTS = frozenset({"set_tempo", "key_signature", "lyrics", "marker", "text", "control_change"})
"""What muspy keeps besides notes and time signatures, so that a piece lasts until the last of them."""


@dataclass(slots=True)
class _Piece:
    """What matters of a MIDI file, in its own ticks."""

    notes: list[tuple[int, int, int]] = field(default_factory=list)
    """Onset, pitch, end."""
    signatures: list[tuple[int, float]] = field(default_factory=list)
    """Time, bar in whole notes; in the order of the file."""
    end: int = 0
    """Time of the last event."""


def study_tokens(path: Path) -> Tokens:
    """The tokens the study makes of a MIDI file, with its grid codec. Pitches are moved by octaves into 21 to 108.

    Raises:
        AntiphonError: the file cannot be read, it has no time signature or no notes, or notes stand where no
            barline is near.
    """
    try:
        file = mido.MidiFile(str(path))
    except Exception as error:  # A damaged file makes mido raise whatever it stumbles over.
        raise AntiphonError(f"'{path}' cannot be read as MIDI ({type(error).__name__}: {error})") from error
    if file.type == 2 or file.ticks_per_beat < 1:
        raise AntiphonError(f"'{path}' has no beats in common (type 2, or SMPTE time); the study's data needs them")
    piece = _Piece()
    for track in file.tracks:
        _read_track(track, piece)
    if not piece.signatures or not piece.notes:
        missing = "notes" if piece.signatures else "time signature"
        raise AntiphonError(f"'{path}' has no {missing}; the study's data needs at least one")
    to_steps = _STEPS_PER_BEAT / file.ticks_per_beat
    shortest_bar = min(4 * _STEPS_PER_BEAT * length for _, length in piece.signatures)
    if piece.end * to_steps > _MOST_BARS * shortest_bar:
        raise AntiphonError(f"'{path}' would have more than {_MOST_BARS:,} bars; is an event far away, or a bar empty?")
    notes = np.array(piece.notes, dtype=np.int64)
    onsets, ends = (np.rint(notes[:, column] * to_steps).astype(np.int64) for column in (0, 2))
    bars = split_bars(np.sort(_barlines(piece, to_steps)), origin=0)
    try:
        return grid_tokens(*split_notes(onsets, folded(notes[:, 1]), ends - onsets), bars, origin=0)
    except ValueError as error:
        raise AntiphonError(f"'{path}' has notes where no barline is near: {error}") from error


def study_windows(length: int) -> int:
    """How many windows, one beginning at every token, the study makes of a piece of `length` tokens."""
    return max(0, length - STUDY_WINDOW + 1)


def _read_track(track: mido.MidiTrack, piece: _Piece) -> None:
    """Add a track's notes; of several with one pitch on one channel, the earliest is the first to end."""
    sounding: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    now = 0
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            sounding[message.channel, message.note].append(now)
        elif message.type in ("note_on", "note_off"):
            begun = sounding[message.channel, message.note]
            if begun:
                piece.notes.append((begun.pop(0), message.note, now))
                piece.end = max(piece.end, now)
        elif message.type == "time_signature":
            piece.signatures.append((now, message.numerator / message.denominator))
            piece.end = max(piece.end, now)
        elif message.type in _TIMED_EVENTS:
            piece.end = max(piece.end, now)
        elif message.type == "end_of_track":
            break
    for (_, pitch), begun in sounding.items():
        for onset in begun:
            piece.notes.append((onset, pitch, now))
            piece.end = max(piece.end, now)


def _barlines(piece: _Piece, to_steps: float) -> NDArray[np.int64]:
    """Barlines in steps: from each time signature on, up to the next one or, after the last, the end."""
    times = [round(time * to_steps) for time, _ in piece.signatures]
    ends = [*times[1:], round(piece.end * to_steps)]
    lengths = [4 * _STEPS_PER_BEAT * bar for _, bar in piece.signatures]
    bars = [np.arange(time, end, length) for time, end, length in zip(times, ends, lengths, strict=True)]
    return np.rint(np.concatenate(bars)).astype(np.int64)
