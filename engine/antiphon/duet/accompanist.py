"""A voice that plays along: it listens and plays at the same time, and settles a beat at a time what it plays next.

What is settled is handed to the schedule and is played as it is; only what lies beyond is composed anew with every key
press and release. So nothing is heard twice, and nothing is cut short. It draws no time and no randomness.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from antiphon.controls import ControlValue
from antiphon.duet.bandmate import State
from antiphon.duet.ceiling import Ceiling
from antiphon.duet.commands import CHAIRS, Chair, Command, Continuation, Decision, Extend, Failed, Play, Silence
from antiphon.duet.cue import Cue
from antiphon.duet.doings import awaited
from antiphon.duet.memory import Memory
from antiphon.duet.plan import Plan, grid_ticks
from antiphon.duet.voice_controls import VOICE_CONTROL_NAMES, playable, turned
from antiphon.generator import Constraints, Request
from antiphon.music import messages
from antiphon.music.ear import Ear
from antiphon.music.timing import Moment, next_multiple, seconds_to_ticks
from antiphon.notes import Note
from antiphon.taste.hearing import within_scale

COMPOSING_SECONDS: Final = 0.15
"""Before a beat is settled, players are left in peace for so long: what is heard then counts for the beat after it."""


class Accompanist:
    """The state machine of one such voice. Every method returns what is to be done, as commands.

    The line up to which everything is settled moves on by a beat whenever it comes nearer than half a beat. There, the
    phrase of the player in the main chair is taken if it has come, else that of the fallback.
    """

    def __init__(self, index: int, plan: Plan, epochs: Iterator[int], ear: Ear | None = None) -> None:
        """`index`: of the voice in `plan`. `epochs` numbers what was heard. `ear`: what is remembered already."""
        self.index = index
        self.plan = plan.voices[index]
        self.memory = Memory(index, ear)
        self.controls = dict(self.plan.controls)
        self.held = False
        """While the transport is stopped: it listens, and does not play."""
        self._signature = plan.signature
        self._epochs = epochs
        self._cue = Cue(self.plan.handover)
        self._ceiling = Ceiling()
        self._settled_ticks: int | None = None
        """Up to where it is settled what is played; None while it does not play."""
        self._epoch = -1
        self._composed: dict[Chair, Continuation] = {}
        self._absent = "it has not started yet"
        self._failure = ""
        self._coming: list[Note] = []
        """What is settled and has not begun."""
        self._sounded = self._helped = False

    @property
    def state(self) -> State:
        """`listening`, `waiting` (about to play) or `answering`."""
        if self._settled_ticks is None:
            return "listening"
        return "answering" if self._sounded else "waiting"

    def doing(self, now: Moment) -> str:
        """In words: whether it plays, and what it waits for."""
        if self.held:
            return "the transport is stopped"
        if self._settled_ticks is not None:
            return "playing along" if self._sounded else "begins on the next beat"
        if not self.memory.seated("main"):
            return f"{self.plan.generator} is getting ready"
        return "listening: it begins when you do" if self.plan.handover.by == "silence" else awaited(self.plan.handover)

    def look_ahead(self, ticks: int) -> None:
        """Half a beat before its tick everything is settled: no output gets it earlier than that."""

    # ---- what comes in -------------------------------------------------------------------------------------------

    def hear(self, message: bytes, now: Moment, port: str = "") -> list[Command]:
        """Take in the player's message, which came from `port`."""
        if message[0] >= 0xF0 or messages.channel(message) not in self.plan.input_channels:
            return []
        if self.swallows(message):
            if not self._cue.given(message, port) or self.held:
                return []
            return self._begin(now) if self._settled_ticks is None else self._finish(now)
        onset = messages.is_note_on(message)
        if onset and not self.plan.input_low <= message[1] <= self.plan.input_high:
            return []
        self._let_go(now.ticks)
        if onset:
            self._ceiling.strike(message[1], now.ticks)
        if not self.memory.hear(message, now.ticks, port) or self.held:
            return []
        if self._settled_ticks is not None:
            return self._revise(now)
        if onset and self.plan.handover.by == "silence":
            return self._begin(now)
        return [*self.memory.remind(next(self._epochs), now.ticks)]

    def swallows(self, message: bytes) -> bool:
        """Whether the message is a command to this voice rather than music."""
        return self._cue.swallows(message)

    def turn(self, control: str, value: ControlValue, now: Moment) -> list[Command]:
        """Set a control; it is heard in the next beat that is settled."""
        if control in self.controls or control not in VOICE_CONTROL_NAMES:
            self.controls[control] = value if isinstance(value, str) else float(value)
        else:
            self.plan = turned(self.plan, control, value)
        return self._revise(now)

    def ready(self, chair: Chair, now: Moment) -> list[Command]:
        """A player has taken its chair."""
        self.memory.seat(chair)
        if chair == "main":
            self._absent = ""
        self._let_go(now.ticks)
        if self._settled_ticks is not None:
            return self._revise(now)
        return [*self.memory.remind(next(self._epochs), now.ticks)]

    def lost(self, chair: Chair, reason: str, now: Moment) -> list[Command]:
        """A player is gone; whatever it composed goes with it."""
        self.memory.vacate(chair)
        self._composed.pop(chair, None)
        if chair == "main":
            self._absent = reason
        return []

    def failed(self, failure: Failed, now: Moment) -> list[Command]:
        """A player raised or returned nonsense."""
        if failure.epoch == self._epoch and failure.chair == "main":
            self._failure = failure.reason
        return []

    def give_up(self, now: Moment) -> list[Command]:
        """Fall silent, and take every key and pedal for released."""
        self._let_go(now.ticks)
        self._coming.clear()
        self.memory.flush(now.ticks)
        if self._settled_ticks is None:
            return []
        self._settled_ticks = None
        return [Silence(self.index, now.ticks)]

    def receive(self, continuation: Continuation, now: Moment) -> list[Command]:
        """A player's phrase has come; a stale one is dropped."""
        if continuation.epoch == self._epoch and self._settled_ticks is not None:
            self._composed[continuation.chair] = continuation
        return []

    # ---- time ----------------------------------------------------------------------------------------------------

    def next_ticks(self) -> int | None:
        """The next tick at which time alone changes something."""
        return None if self._settled_ticks is None else self._settled_ticks - self._signature.beat_ticks // 2

    def advance(self, now: Moment) -> list[Command]:
        """Do what is due at `now`."""
        settling = self.next_ticks()
        if settling is None or now.ticks < settling:
            return []
        self._let_go(now.ticks)
        if self._is_resting(now):
            return self._finish(now)
        return [*self._settle(now), *self._compose(now)]

    # ---- playing along -------------------------------------------------------------------------------------------

    def _begin(self, now: Moment) -> list[Command]:
        beat_ticks = self._signature.beat_ticks
        soonest = now.ticks + seconds_to_ticks(COMPOSING_SECONDS, now.bpm) + beat_ticks // 2
        if self.plan.launch == "now":  # In the player's own beat, wherever that lies.
            self._settled_ticks = now.ticks + next_multiple(soonest - now.ticks, beat_ticks)
        else:
            self._settled_ticks = next_multiple(soonest, grid_ticks(self.plan.launch, self._signature))
        self._sounded = self._helped = False
        return self._compose(now)

    def _revise(self, now: Moment) -> list[Command]:
        """Something has been heard: let the players compose anew what is not settled, while there is time for it."""
        settling = self.next_ticks()
        if settling is None or now.ticks > settling - seconds_to_ticks(COMPOSING_SECONDS, now.bpm):
            return []
        return self._compose(now)

    def _compose(self, now: Moment) -> list[Command]:
        start, beat_ticks = self._settled_ticks, self._signature.beat_ticks
        assert start is not None
        self._epoch, self._composed, self._failure = next(self._epochs), {}, ""
        request = Request(
            start,
            beat_ticks,
            dict(self.controls),
            self._constraints(),
            (start - beat_ticks // 2 - now.ticks) * 60 / (now.bpm * 480),
            bar_ticks=self._signature.bar_ticks,
            tempo_bpm=now.bpm,
            beside=True,
        )
        said: list[Command] = []
        for chair in CHAIRS:
            if self.memory.seated(chair):
                said += self.memory.prime(chair, self._epoch, start, tuple(self._coming))
                said.append(Extend(self.index, chair, self._epoch, 0, request))
        return said

    def _constraints(self) -> Constraints:
        """What the next beat keeps to."""
        limits = playable(self.plan.constraints)
        if self.plan.below_melody:
            limits = self._ceiling.lower(limits)
        return within_scale(limits, self.memory.ear.notes) if self.plan.heard_scale else limits

    def _settle(self, now: Moment) -> list[Command]:
        """Take what has been composed for the next beat."""
        start = self._settled_ticks
        assert start is not None
        self._settled_ticks = start + self._signature.beat_ticks
        phrase = next((self._composed[chair].phrase for chair in CHAIRS if chair in self._composed), None)
        said: list[Command] = []
        if "main" in self._composed:
            self._helped = False
        elif not self._helped:
            self._helped = True
            told = f"{self.plan.generator}: {self._absent or self._failure or 'it is late'}"
            if phrase is None:
                said.append(Decision("silent", self.index, now.ticks, told))
            else:
                said.append(Decision("fallback", self.index, now.ticks, f"{told}; {self.plan.fallback} plays"))
        if phrase is None or not phrase.notes:
            return said
        if not self._sounded:
            self._sounded = True
            first = phrase.notes[0].start_ticks
            said.append(Decision("answer", self.index, first, "it plays along from here"))
        self._coming += phrase.notes
        return [*said, Play(self.index, phrase.notes)]

    def _is_resting(self, now: Moment) -> bool:
        """Whether the player has rested for so long that the accompaniment ends."""
        ear = self.memory.ear
        if self.plan.handover.by != "silence" or ear.keys_down:
            return False
        last = max(ear.last_onset_ticks or 0, ear.last_release_ticks or 0)
        rest = seconds_to_ticks(self.plan.handover.patient().max_seconds, now.bpm)
        return now.ticks - last >= max(rest, self._signature.bar_ticks)

    def _finish(self, now: Moment) -> list[Command]:
        """Play what is settled, and then no more."""
        self._settled_ticks = None
        return [Decision("end", self.index, now.ticks, "it plays along no more")]

    def _let_go(self, ticks: int) -> None:
        """Move what has begun by `ticks` into the memory."""
        begun = [note for note in self._coming if note.start_ticks <= ticks]
        if begun:
            self._coming = self._coming[len(begun) :]
            self.memory.remember(begun)
