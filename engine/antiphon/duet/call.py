"""The player's call, from its first note to where it is handed over. The voice decides; this keeps time."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final, Literal

from antiphon.duet.plan import Handover
from antiphon.duet.repose import weigh
from antiphon.duet.turns import Turns
from antiphon.music.ear import Ear
from antiphon.music.timing import Moment, TimeSignature, next_multiple, seconds_to_ticks
from antiphon.taste.hearing import since

REVISION_SECONDS: Final = 0.25
"""After a release, where no silence but a signal or a bar line ends the call: so long the guess at an answer stands.

It may come in that very instant, and what was guessed with the key still down is there already. If it does not come,
there is time to tell the players how long the last notes were.
"""
COMPOSING_SECONDS: Final = 0.1
"""What a player must be left to compose anew, or it is not told."""
WEIGHING: Final = 1 / 6
"""After this share of the shortest silence that ends a call, what was played is weighed: is it an end or a breath?"""
PLAIN_END: Final = 2 / 3
"""Where a phrase has plainly come to rest, this share of that silence is enough, if the pulse wants the answer then."""
LONGEST_BREATH: Final = 2.0
"""A breath is given no longer than so many times the longest silence."""

_CHORD_SECONDS: Final = 0.04
"""Onsets closer together than this are one chord, not a rhythm."""
_GAPS: Final = 8

Due = Literal["weigh", "breathe", "hand over", "revise"]
"""What time alone brings: to weigh a rest; to take it for a breath; to hand over; to tell the players of a release."""


class Call:
    """What is heard of the player by one voice, and when that is over."""

    def __init__(
        self,
        ear: Ear,
        rule: Handover,
        signature: TimeSignature,
        turns: Turns | None,
        *,
        grid_ticks: int | None,
        on_pulse: bool,
    ) -> None:
        """`ear`: what is remembered. `turns`: if they are of fixed length. `grid_ticks`: the lines answers begin on.

        `on_pulse`: whether an answer may come in on the player's own pulse.
        """
        self.rule = rule
        """As the preset says it, and as its patience was turned since."""
        self.begin_ticks: int | None = None
        """Its first note; None: there is no call."""
        self.until_ticks = 0
        """Where the last one was, or is to be, over."""
        # What another plan's voice was let finish is remembered before it has sounded.
        self.busy_until_ticks = ear.notes[-1].start_ticks + 1 if ear.notes else 0
        """Up to here the voice's own notes go on."""
        self.handover_ticks: int | None = None
        """Where it is handed over, as things stand; None: nobody knows."""
        self.weighing_ticks: int | None = None
        self.revision_ticks: int | None = None
        self.breathes = False
        """Whether a rest was taken for a breath, and nothing was heard since."""
        self.entry: tuple[int, float] | None = None
        """Where on the player's pulse the answer comes in, and the length of a beat of theirs; both in ticks."""
        self.ahead_ticks = 0
        """How long before its tick an output may be handed a note: so much earlier is decided what can be."""
        self._breath_ticks: int | None = None
        """When it turns out that a rest is taken for a breath."""
        self._ear = ear
        self._signature = signature
        self._turns = turns
        self._grid_ticks = grid_ticks
        self._on_pulse = on_pulse
        self._gaps: deque[int] = deque(maxlen=_GAPS)

    @property
    def patient_rule(self) -> Handover:
        """The rule with its patience worked in."""
        return self.rule.patient()

    @property
    def counts_bars(self) -> bool:
        """Whether a bar line ends it."""
        return self.rule.by in ("bars", "turns")

    # ---- what is heard -------------------------------------------------------------------------------------------

    def strike(self, now: Moment, before_ticks: int | None) -> None:
        """A key went down; `before_ticks`: when the one before it did."""
        if self.begin_ticks is None:
            self.begin_ticks = now.ticks
        elif before_ticks is not None and now.ticks - before_ticks > seconds_to_ticks(_CHORD_SECONDS, now.bpm):
            self._gaps.append(now.ticks - before_ticks)

    def go_on(self, now: Moment) -> None:
        """A key went down or up in it: when it ends is seen anew."""
        self.handover_ticks = self._handover_at(now)
        self.entry, self._breath_ticks, self.breathes = None, None, False
        self.weighing_ticks = self._weighing_at(now)

    def revise_later(self, now: Moment) -> None:
        """The players are to be told of the release that was just heard, unless it is too late for that."""
        revision = now.ticks + seconds_to_ticks(REVISION_SECONDS, now.bpm)
        decision = self._decision_ticks
        late = decision is not None and revision + seconds_to_ticks(COMPOSING_SECONDS, now.bpm) > decision
        self.revision_ticks = None if late else revision

    def begin_turn(self, now: Moment) -> None:
        """It is the player's turn. In a song their turn is over when it is over, whether they play or not."""
        if self._turns is None or not self._turns.anchored:
            return
        self.begin_ticks, self.handover_ticks = now.ticks, self._turns.handover_at(now.ticks)
        self.revision_ticks = self.handover_ticks - self.ahead_ticks - self._signature.beat_ticks

    # ---- time ----------------------------------------------------------------------------------------------------

    def next_ticks(self) -> int | None:
        """The next tick at which time alone changes something."""
        times = (self._decision_ticks, self.revision_ticks, self.weighing_ticks, self._breath_ticks)
        return min((ticks for ticks in times if ticks is not None), default=None)

    def due(self, now: Moment) -> Due | None:
        """What is due at `now`, first things first."""
        times: tuple[tuple[Due, int | None], ...] = (
            ("weigh", self.weighing_ticks),
            ("breathe", self._breath_ticks),
            ("hand over", self._decision_ticks),
            ("revise", self.revision_ticks),
        )
        return next((what for what, ticks in times if ticks is not None and now.ticks >= ticks), None)

    def weigh(self, now: Moment) -> None:
        """Nothing has been heard for a while: an end, or a breath? And where on the pulse is an answer to begin?"""
        assert self.handover_ticks is not None
        self.weighing_ticks = None
        rule, ear = self.patient_rule, self._ear
        weighed = weigh(ear.notes, since(ear.notes, self.begin_ticks), now.bpm, self._signature)
        if weighed.pulse is None:
            return
        last, beat_ticks = ear.last_onset_ticks or 0, weighed.pulse.beat_ticks
        wanted = self.handover_ticks
        if not weighed.at_rest:
            longest = LONGEST_BREATH * seconds_to_ticks(rule.max_seconds, now.bpm)
            breath = last + min(longest, rule.breath_beats * beat_ticks)
            if breath > wanted:
                self._breath_ticks, wanted = wanted, round(breath)
        self.handover_ticks = wanted
        if not self._on_pulse:
            return
        silence = seconds_to_ticks(rule.min_seconds * (PLAIN_END if weighed.at_rest else 1), now.bpm)
        self.handover_ticks = weighed.entry_near(wanted, (ear.last_release_ticks or 0) + silence)
        self.entry = self.handover_ticks, beat_ticks

    def breathe(self) -> None:
        """The rest was a breath."""
        self._breath_ticks, self.breathes = None, True

    # ---- its end -------------------------------------------------------------------------------------------------

    def end_ticks(self, now: Moment) -> int:
        """Where a continuation of it begins: at its last event, or on the grid that follows it.

        While a key is down the call goes on.
        """
        if self.counts_bars and self.handover_ticks is not None:
            return max(self.handover_ticks, self.busy_until_ticks)
        ear = self._ear
        end = max((ear.last_onset_ticks or 0) + 1, ear.last_release_ticks or 0, self.busy_until_ticks)
        if ear.keys_down:
            end = max(end, now.ticks)
        return end if self._grid_ticks is None else next_multiple(end, self._grid_ticks)

    def whole_beats(self, end_ticks: int) -> int:
        """`end_ticks`, so that an answer from there is shifted by whole beats: it keeps to the player's pulse."""
        if self.entry is None:
            return end_ticks
        entry, beat_ticks = self.entry
        return round(entry - max(0, entry - end_ticks) // beat_ticks * beat_ticks)

    def hand_over(self, now: Moment) -> None:
        """It is handed over at `now`, and is over when its bars are."""
        self.until_ticks = max(now.ticks, self.handover_ticks or 0)
        self._call_off()

    def forget(self) -> None:
        """There is no call."""
        self.begin_ticks, self.breathes, self.entry = None, False, None
        self._call_off()

    def _call_off(self) -> None:
        self.handover_ticks = self.revision_ticks = self.weighing_ticks = self._breath_ticks = None

    @property
    def _decision_ticks(self) -> int | None:
        """When it hands over: a bar line that ends the call is known before it comes, and may be needed then."""
        if self.handover_ticks is None or not self.counts_bars:
            return self.handover_ticks
        return self.handover_ticks - self.ahead_ticks

    def _handover_at(self, now: Moment) -> int | None:
        rule = self.patient_rule
        if self._turns is not None:
            return self._turns.handover_at(now.ticks) if self.handover_ticks is None else self.handover_ticks
        if rule.by == "bars":
            # A first note a little ahead of the bar line belongs to the bar that it leads into.
            bar_ticks = self._signature.bar_ticks
            bar = ((self.begin_ticks or 0) + self._signature.beat_ticks // 4) // bar_ticks
            return max(now.ticks, (bar + rule.bars) * bar_ticks)
        if rule.by != "silence" or self._ear.keys_down:
            return None
        low, high = (seconds_to_ticks(s, now.bpm) for s in (rule.min_seconds, rule.max_seconds))
        gap = round(rule.silence_multiple * median(self._gaps)) if self._gaps else (low + high) // 2
        onset, release = self._ear.last_onset_ticks or 0, self._ear.last_release_ticks or 0
        return max(now.ticks, onset + min(high, max(low, gap)), release + low)

    def _weighing_at(self, now: Moment) -> int | None:
        """When the rest that begins now is weighed; None: silence alone decides, or there is none."""
        rule = self.patient_rule
        if rule.by != "silence" or not rule.breath_beats or self.handover_ticks is None:
            return None
        return now.ticks + seconds_to_ticks(WEIGHING * rule.min_seconds, now.bpm)
