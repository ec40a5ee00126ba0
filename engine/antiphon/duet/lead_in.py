"""What leads in to a continuation: a file as a session hears it, up to the bar line that the answer begins at.

A session has one metre and, here, one tempo; a file may have many. The session's bars count on from the bar line at
which the file's last metre goes on. Who plays to the beat hears the file's beats. Who plays in free time hears every
note when and for as long as it sounds, whatever the tempo was there. It plays nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from antiphon.duet.plan import SLOWEST_BPM
from antiphon.generator import Follows
from antiphon.music.midi_file import Score
from antiphon.music.timing import TimeSignature, bar_line_from, next_multiple
from antiphon.notes import TICKS_PER_BEAT


class LeadIn:
    """A score as it is heard, and where a session that has heard it goes on."""

    def __init__(self, score: Score, follows: Follows) -> None:
        """`follows`: what the generator does that hears it, the beat or free time."""
        self._score = score
        self._timeline = score.timeline()
        self._free = follows == "free"
        self._stretch = 1
        # Many ticks of a session pass in a beat that lasts as long as a fermata.
        while self._free and self._timeline.bpm * self._stretch < SLOWEST_BPM:
            self._stretch *= 2
        line_ticks, metre = bar_line_from(score.signatures, max(1, score.phrase().end_ticks))
        self.line_ticks = line_ticks
        """The bar line that the answer begins at, in the score's ticks: the first one from its end on."""
        self.signature = TimeSignature(self._stretch * metre.beats, metre.unit)
        """The session's metre: its bars last as long as the score's do from that line on."""
        self.bpm = max(SLOWEST_BPM, self._timeline.bpm * self._stretch)
        """The session's tempo, quarter notes a minute."""
        self.begin_ticks = next_multiple(self._before_line(0), self.signature.bar_ticks)
        """The same bar line in the session's ticks."""

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """(tick of the session, message) of all tracks, in order of time."""
        for ticks, message in self._score.merged():
            yield self.begin_ticks - self._before_line(ticks), message

    def score_ticks(self, ticks: int) -> int:
        """Where in the score a tick of the session falls, `begin_ticks` or later."""
        return self.line_ticks + round((ticks - self.begin_ticks) / self._stretch)

    def _before_line(self, ticks: int) -> int:
        """How many of the session's ticks before the bar line it hears what the score has at `ticks`."""
        if not self._free:
            return self.line_ticks - ticks
        seconds = self._timeline.seconds_at(self.line_ticks) - self._timeline.seconds_at(ticks)
        return round(seconds * self.bpm * TICKS_PER_BEAT / 60)
