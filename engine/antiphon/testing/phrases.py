"""Heard phrases worth trying, and how a host tells them. Made by rule: nothing here is random."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from antiphon.notes import Note, Phrase, score_order

BAR_TICKS: Final = 1920
"""A bar of four quarter notes."""


def streamed(phrase: Phrase) -> Iterator[Phrase]:
    """`phrase` as the host tells it: once for each key press and release, notes still held with `length_ticks` None.

    The keys of a chord go down from the top, so that notes also arrive before the last one in score order.
    """
    presses = [(note.start_ticks, 1, -note.pitch, note) for note in phrase.notes]
    releases = [(note.end_ticks, 0, 0, note) for note in phrase.notes if note.end_ticks is not None]
    notes: list[Note] = []
    end_ticks = phrase.start_ticks
    for ticks, is_press, _, note in sorted(presses + releases, key=lambda event: event[:3]):
        if ticks > phrase.end_ticks:
            break
        held = replace(note, length_ticks=None)
        if is_press:
            insort(notes, held, key=score_order)
        else:
            notes[notes.index(held, bisect_left(notes, score_order(held), key=score_order))] = note
        end_ticks = max(end_ticks, ticks + is_press)
        yield Phrase(phrase.start_ticks, end_ticks, tuple(notes))
    yield phrase


def sample_phrases() -> dict[str, Phrase]:
    """Heard phrases that are worth trying, from silence to 4,096 notes. All by rule, none by chance."""
    tune = (60, 62, 64, 67, 65, 64, 62, 60, 67, 69, 71, 72, 71, 67, 64, 62)
    melody = [Note(480 + 240 * i, pitch, 220, 70 + i) for i, pitch in enumerate(tune)]
    bass = [Note(480 + 960 * i, pitch, 900, 60) for i, pitch in enumerate((36, 43, 41, 36))]
    chords = [Note(1920 * i + 7 * j, 48 + i + 4 * j, 1900, 80 - j) for i in range(4) for j in range(4)]
    burst = [Note(1003 + i // 16, 40 + i % 16 * 3, 50 + i, 1 + i) for i in range(96)]
    unison = [Note(2000, 64, 100, 90), Note(2000, 64, 300, 50)]
    extremes = [Note(0, 0, 1, 1), Note(0, 127, 100_000, 127), Note(333, 127, 1, 1), Note(334, 0, 5, 127)]
    held = [*melody[:5], Note(1700, 48, None, 80), Note(1700, 76, None, 90)]
    return {
        "nothing": Phrase(0, 0),
        "silence": Phrase(0, BAR_TICKS),
        "single note": Phrase.of([Note(1000, 60, 333, 100)]),
        "melody": Phrase.of([*melody, *bass], end_ticks=3 * BAR_TICKS),
        "chords": Phrase.of(chords, start_ticks=0),
        "dense": Phrase.of([*burst, *unison]),
        "extremes": Phrase.of(extremes, end_ticks=500),
        "held": Phrase.of(held, end_ticks=2001),
        "long": long_phrase(4096),
    }


def long_phrase(length: int) -> Phrase:
    steps = (0, 4, 7, 12, 7, 9, 5, 2)
    notes = [Note(120 * i, 48 + steps[i % 8] + i // 64 % 12, 110, 50 + i % 60) for i in range(length)]
    return Phrase.of(notes)


def closed(heard: Phrase) -> Phrase:
    """`heard` with the keys that are down released at its end."""
    return replace(heard, notes=tuple(note.closed(heard.end_ticks) for note in heard.notes))


def before_a_rest(heard: Phrase) -> Phrase | None:
    """The first notes of `heard`, cut near the middle where none sounds; None if one always does."""
    cuts: list[int] = []
    sounding_until = 0.0
    for index, note in enumerate(heard.notes):
        if index and note.start_ticks >= sounding_until and note.start_ticks > heard.notes[index - 1].start_ticks:
            cuts.append(index)
        sounding_until = max(sounding_until, math.inf if note.end_ticks is None else note.end_ticks)
    if not cuts:
        return None
    cut = cuts[len(cuts) // 2]
    return Phrase(heard.start_ticks, heard.notes[cut].start_ticks, heard.notes[:cut])
