"""Calls of many kinds, made by rule, and a picture of how a generator answers them. Nothing here is random."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.notes import Note, Phrase
from antiphon_export.report.musician import BAR_TICKS, CALL_BARS, Musician

_COLOURS: Final = ("#2f7fd6", "#ef7d37")
"""Call, answer."""


def calls() -> dict[str, Phrase]:
    """Two or four bars each: what players and tests play."""
    return {
        "a scale": _phrase(
            2, [Note(240 * i, pitch, 220, 74 + i) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]
        ),
        "a pop loop": _phrase(4, _pop_loop()),
        "a chorale phrase": _phrase(4, _chorale()),
        "one held chord": _phrase(2, [Note(0, pitch, 2 * BAR_TICKS, 70) for pitch in (48, 55, 60, 64)]),
        "silence": Phrase(0, 2 * BAR_TICKS),
        "a burst of noise": _phrase(2, [Note(37 * i, 30 + 47 * i % 70, 60, 30 + 31 * i % 90) for i in range(100)]),
        "a slow tune": _phrase(
            4, [Note(720 * i, pitch, 680, 58) for i, pitch in enumerate((69, 67, 65, 64, 62, 64, 60, 57, 60))]
        ),
        "a fast run": _phrase(2, [Note(120 * i, 84 - (i * 5 + i // 8) % 24, 110, 80 + i % 4 * 6) for i in range(30)]),
    }


def _phrase(bars: int, notes: list[Note]) -> Phrase:
    return Phrase.of(notes, 0, bars * BAR_TICKS)


def _pop_loop() -> list[Note]:
    notes = []
    for bar, (bass, chord) in enumerate(
        ((45, (60, 64, 69)), (41, (60, 65, 69)), (48, (60, 64, 67)), (43, (59, 62, 67)))
    ):
        start = bar * BAR_TICKS
        notes.append(Note(start, bass, 1800, 66))
        for beat in range(4):
            notes += [Note(start + 480 * beat, pitch, 400, 60 + 8 * (beat % 2 == 0)) for pitch in chord]
        notes += [
            Note(start + at, pitch, 220, 82)
            for at, pitch in ((0, 76), (720, 74), (960, 72), (1680, 74 - 2 * (bar % 2)))
        ]
    return notes


def _chorale() -> list[Note]:
    """Four voices, a chord a beat, in G."""
    voices = (
        (71, 71, 72, 74, 74, 72, 71, 69, 67, 67, 69, 71, 71, 69, 69, 67),
        (67, 67, 67, 67, 67, 67, 67, 66, 64, 64, 66, 67, 67, 67, 66, 62),
        (62, 62, 64, 62, 62, 64, 62, 62, 59, 60, 62, 62, 64, 64, 60, 59),
        (55, 55, 52, 47, 55, 52, 55, 50, 52, 48, 50, 55, 52, 48, 50, 43),
    )
    return [Note(480 * beat, pitch, 470, 72) for voice in voices for beat, pitch in enumerate(voice)]


def draw_answers(musician: Musician, path: Path, *, seeds: tuple[int, ...] = (1,)) -> Mapping[str, Phrase]:
    """Draw every call with the musician's answers to it, four bars each, on one PNG; returns the last answers.

    Raises:
        AntiphonError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    heard = calls()
    figure = Figure(figsize=(9 * len(seeds), 2.3 * len(heard)), layout="constrained")
    panels = figure.subplots(len(heard), len(seeds), squeeze=False)
    answers: dict[str, Phrase] = {}
    for row, (name, call) in enumerate(heard.items()):
        for column, seed in enumerate(seeds):
            answers[name] = musician.answer(call, CALL_BARS, seed)
            axes = panels[row, column]
            for colour, phrase in zip(_COLOURS, (call, answers[name]), strict=True):
                axes.barh(
                    [note.pitch for note in phrase.notes],
                    [note.length_ticks or 0 for note in phrase.notes],
                    left=[note.start_ticks for note in phrase.notes],
                    color=[(colour, 0.25 + 0.75 * note.velocity / 127) for note in phrase.notes],
                    height=0.9,
                )
            end = answers[name].end_ticks
            axes.set_xlim(0, end)
            axes.set_xticks(range(0, end + 1, BAR_TICKS), [])
            axes.set_xticks(range(0, end + 1, 480), [], minor=True)
            axes.grid(axis="x", alpha=0.6)
            axes.grid(axis="x", which="minor", alpha=0.2)
            axes.axvline(call.end_ticks, color="#444", linewidth=1)
            axes.set_title(f"{name}, seed {seed}", loc="left", fontsize=9)
    try:
        figure.savefig(path, dpi=80)
    except OSError as error:
        raise AntiphonError(f"{str(path)!r} cannot be written ({error.strerror}); choose another place") from error
    return answers
