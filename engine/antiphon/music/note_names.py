"""Notes and scales by the names that musicians write; C4 is middle C. It neither reads nor checks files."""

from __future__ import annotations

import re
from typing import Final

from antiphon.spelling import nearest

_PITCH_CLASSES: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_SHARPS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_NAME: Final = re.compile(r"([A-Ga-g])([#♯b♭]?)(-?\d{1,2})?")

SCALES: Final = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
"""Scales a preset can name, as semitones above the tonic."""

PITCH_ALLOWED: Final = "a note name, C-1 to G9 (C4 is middle C), or a whole number, 0 to 127"
SCALE_ALLOWED: Final = (
    f"a tonic and a scale, such as 'C major' ({', '.join(SCALES)}), or a list of notes, such as ['C', 'Eb', 'G']"
)


class UnknownName(ValueError):
    """Not a note or scale; the text is the nearest known name, or empty."""


def parse_pitch(value: object) -> int:
    """MIDI note number, 0 to 127, of a name such as `C4` or `F#3`, or of such a number.

    Raises:
        UnknownName: anything else.
    """
    if type(value) is int and 0 <= value <= 127:
        return value
    if isinstance(value, str):
        match = _NAME.fullmatch(value)
        if match and match[3]:
            pitch = _pitch_class(match[1], match[2]) + 12 * (int(match[3]) + 1)
            if 0 <= pitch <= 127:
                return pitch
        # German musicians call it H, and the nearest letter would be no help to them.
        raise UnknownName(nearest(value.upper().replace("H", "B"), [pitch_name(pitch) for pitch in range(128)]))
    raise UnknownName


def pitch_name(pitch: int) -> str:
    """Name of a MIDI note number, with sharps: 60 is `C4`."""
    return f"{_SHARPS[pitch % 12]}{pitch // 12 - 1}"


def parse_scale(value: object) -> frozenset[int] | None:
    """Pitch classes (0 is C) of a scale such as `D dorian`, or of a list of notes; `None` for all twelve.

    Raises:
        UnknownName: anything else.
    """
    if isinstance(value, str):
        classes = _named_scale(value)
    elif isinstance(value, list) and value:
        classes = frozenset(_listed_pitch_class(item) for item in value)
    else:
        raise UnknownName
    return None if len(classes) == 12 else classes


def pitch_class_names(classes: frozenset[int]) -> list[str]:
    """Names of pitch classes from C up, with sharps."""
    return [_SHARPS[pitch_class] for pitch_class in sorted(classes)]


def _named_scale(text: str) -> frozenset[int]:
    tonic, _, name = " ".join(text.split()).partition(" ")
    if tonic.lower() == "chromatic" and not name:
        return frozenset(range(12))
    match = _NAME.fullmatch(tonic)
    steps = SCALES.get(name.lower())
    if match is None or match[3] or steps is None:
        known_tonic = tonic if match and not match[3] else "C"
        meant = nearest(name or tonic, SCALES)
        raise UnknownName(meant and f"{known_tonic} {meant}")
    return frozenset((_pitch_class(match[1], match[2]) + step) % 12 for step in steps)


def _listed_pitch_class(item: object) -> int:
    if type(item) is int and 0 <= item <= 11:
        return item
    match = _NAME.fullmatch(item) if isinstance(item, str) else None
    if match is None or match[3]:
        raise UnknownName
    return _pitch_class(match[1], match[2]) % 12


def _pitch_class(letter: str, accidental: str) -> int:
    return _PITCH_CLASSES[letter.upper()] + _ACCIDENTALS[accidental]
