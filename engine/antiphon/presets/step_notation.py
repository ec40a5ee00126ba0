"""Music as a line of text, a word a sixteenth.

`C3` strikes a note and `C3+E3` a chord, `-` holds what was struck last, `.` is a rest; `!` after a note is loud, `?`
soft; `|` has no effect.
"""

from __future__ import annotations

from typing import Final

from antiphon.music.note_names import UnknownName, parse_pitch, pitch_name
from antiphon.notes import STEP_TICKS, Note, Phrase

NOTATION_ALLOWED: Final = "notes, a word a sixteenth, such as 'C3 - E3+G3 . A3! . C3? .'"

_REST, _HOLD, _BAR_LINE, _CHORD = ".", "-", "|", "+"
_VELOCITIES: Final = {"!": 108, "": 84, "?": 56}
"""By the sign after a note."""


def parse_steps(text: str) -> Phrase:
    """The music of `text`, from tick 0 to the end of its last sixteenth.

    Raises:
        ValueError: a word that is none, a hold without a note before it, or no note at all; naming which.
    """
    notes: list[Note] = []
    chord: list[Note] = []
    words = [word for word in text.split() if word != _BAR_LINE]
    for step, word in enumerate(words):
        if word == _HOLD and chord:
            chord = [Note(n.start_ticks, n.pitch, (n.length_ticks or 0) + STEP_TICKS, n.velocity) for n in chord]
            notes[-len(chord) :] = chord
        elif word == _REST:
            chord = []
        elif word == _HOLD:
            raise ValueError(f"word {step + 1}, '-', holds nothing")
        else:
            chord = [_note(each, step * STEP_TICKS) for each in word.split(_CHORD)]
            notes += chord
    if not notes:
        raise ValueError("it has no notes")
    return Phrase.of(notes, 0, len(words) * STEP_TICKS)


def steps_text(phrase: Phrase) -> str | None:
    """The text that `parse_steps` reads as `phrase`; None if none does, as for music that is off the grid."""
    words = [_REST] * (phrase.end_ticks // STEP_TICKS)
    for note in phrase.notes:
        step, last = (ticks // STEP_TICKS for ticks in (note.start_ticks, (note.end_ticks or 0) - 1))
        if not 0 <= step <= last < len(words):
            return None
        sign = next((sign for sign, velocity in _VELOCITIES.items() if velocity == note.velocity), "")
        name = pitch_name(note.pitch) + sign
        words[step] = name if words[step] in (_REST, _HOLD) else f"{words[step]}{_CHORD}{name}"
        for held in range(step + 1, last + 1):
            words[held] = _HOLD
    text = " ".join(words)
    return text if phrase.notes and parse_steps(text) == phrase else None


def _note(word: str, start_ticks: int) -> Note:
    name = word.rstrip("!?")
    try:
        return Note(start_ticks, parse_pitch(name), STEP_TICKS, _VELOCITIES[word[len(name) :]])
    except (UnknownName, KeyError):
        raise ValueError(f"'{word}' is no note") from None
