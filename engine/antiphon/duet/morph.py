"""The ends of a morph: what the preset gives, what was played last, what was captured."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from antiphon.duet.plan import End, MorphPlan
from antiphon.generator import Morph
from antiphon.music import messages
from antiphon.music.ear import Ear
from antiphon.notes import TICKS_PER_BEAT, Note, Phrase

MOST_BARS: Final = 16
"""Most bars of what was played that make an end: the last."""
_EARLY_TICKS: Final = TICKS_PER_BEAT // 8
"""Half a sixteenth: what is no further from a bar line than this is meant to fall on it."""
_NAMES: Final = "AB"


class Ends:
    """Listens for what may become an end. Times are session ticks."""

    def __init__(self, plan: MorphPlan, bar_ticks: int, grid_ticks: int | None) -> None:
        """`grid_ticks`: what was played begins at a multiple of it; None: with its first note."""
        self._plan = plan
        self._bar_ticks = bar_ticks
        self._grid_ticks = grid_ticks
        self._ear = Ear()
        self._since_ticks = 0
        """Where the last call began."""
        self._captured: list[Phrase | None] = [None, None]
        self._captures = 0
        self._pressed: set[tuple[str, int]] = set()
        """The ports and channels on which the key or controller that captures is down."""

    def hear(self, message: bytes, ticks: int, port: str = "", *, begins: bool) -> None:
        """Take in the player's message, which came from `port`; `begins`: with it, a new call does."""
        if begins:
            self._since_ticks = ticks
        if messages.is_note_on(message):
            self._ear.forget_before(max(self._since_ticks, ticks - (MOST_BARS + 1) * self._bar_ticks))
        self._ear.hear(message, ticks, port)

    def swallows(self, message: bytes) -> bool:
        """Whether the message is a capture, or the end of one, rather than music."""
        plan = self._plan
        if plan.capture_cc is not None and messages.is_controller(message, plan.capture_cc):
            return True
        is_note = messages.is_note_on(message) or messages.is_note_off(message)
        return is_note and message[1] == plan.capture_note

    def capture(self, message: bytes, port: str = "") -> str | None:
        """Hold fast what was played last, if `message` is a press; as what, for a person to read; None if it is not."""
        is_note = messages.kind(message) != messages.CONTROL_CHANGE
        pressed = messages.is_note_on(message) if is_note else message[2] >= 64
        place = port, messages.channel(message)
        before = place in self._pressed
        (self._pressed.add if pressed else self._pressed.discard)(place)
        played = self._played()
        if before or not pressed or played is None:
            return None
        end = self._captures % 2
        self._captures += 1
        self._captured[end] = played
        return f"captured as {_NAMES[end]}: {len(played.notes)} notes"

    def morph(self) -> Morph:
        """The two ends, as they are now."""
        return Morph(self._end(self._plan.a, 0), self._end(self._plan.b, 1))

    def _end(self, planned: End, index: int) -> Phrase | None:
        captured = self._captured[index]
        if captured is not None:
            return captured
        if isinstance(planned, Phrase):
            return planned
        return self._played() if planned == "played" else None

    def _played(self) -> Phrase | None:
        """The last call as a loop of whole bars; None if there was none. A key that is held is held to the end.

        A last chord on the bar line leads back into the loop, and is left out: there it begins again.
        """
        notes = [note for note in self._ear.notes if note.start_ticks >= self._since_ticks]
        if not notes:
            return None
        start = notes[0].start_ticks
        if self._grid_ticks is not None:
            start = (start + _EARLY_TICKS) // self._grid_ticks * self._grid_ticks
        bars = max(1, -((start + _EARLY_TICKS - 1 - notes[-1].start_ticks) // self._bar_ticks))
        end = start + bars * self._bar_ticks
        start = max(start, end - MOST_BARS * self._bar_ticks)
        inside = (_placed(note, start, end) for note in notes if start - _EARLY_TICKS <= note.start_ticks < end)
        return Phrase.of(inside, start, end)


def _placed(note: Note, start_ticks: int, end_ticks: int) -> Note:
    """`note` with a length, and begun at `start_ticks` at the earliest."""
    return replace(note.closed(end_ticks), start_ticks=max(note.start_ticks, start_ticks))
