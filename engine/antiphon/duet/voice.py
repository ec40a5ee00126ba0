"""One voice of the duet: listens to a call, hands over, answers, and gives way. It draws no time and no randomness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import assert_never

from antiphon.controls import ControlValue
from antiphon.duet.answer import Answer
from antiphon.duet.bandmate import State
from antiphon.duet.call import Call
from antiphon.duet.commands import CHAIRS, Chair, Command, Continuation, Decision, Extend, Failed, Play, Silence
from antiphon.duet.cue import Cue
from antiphon.duet.doings import awaited, bars_left, held_keys
from antiphon.duet.memory import Memory
from antiphon.duet.modes import MODES
from antiphon.duet.morph import Ends
from antiphon.duet.plan import Plan, grid_ticks
from antiphon.duet.turns import Turns
from antiphon.duet.voice_controls import VOICE_CONTROL_NAMES, playable, turned
from antiphon.generator import Constraints, Request
from antiphon.music import messages
from antiphon.music.ear import Ear
from antiphon.music.timing import Moment, next_multiple, seconds_to_ticks
from antiphon.notes import Note, score_order
from antiphon.taste.hearing import within_scale

PATIENCE_SECONDS = 0.03
"""How long after its moment a first phrase may still arrive before the fallback plays."""
MARGIN_SECONDS = 0.05
"""How long before its moment a later phrase must have arrived."""
GIVE_UP_SECONDS = 0.5
"""How long the fallback is waited for before the voice falls silent."""
RESTS_ALLOWED = 8
"""Beats without a note that a generator may open an answer with."""
LEAD_SECONDS = 0.25
"""How long before its moment the next stretch of a morph is asked for: later than other phrases, so that what is
turned or captured is heard soon."""


class Voice:
    """The state machine of one voice. Every method returns what is to be done, as commands."""

    def __init__(self, index: int, plan: Plan, epochs: Iterator[int], ear: Ear | None = None) -> None:
        """`index`: of the voice in `plan`. `epochs` numbers what was heard. `ear`: what is remembered already."""
        self.index = index
        self.plan = voice = plan.voices[index]
        """What it goes by now: as the preset says, and as its controls were turned since."""
        self.memory = Memory(index, ear)
        self.controls = dict(voice.controls)
        self.held = False
        """While the transport is stopped: it listens, and takes no turn."""
        self._mode = MODES[voice.mode]
        self._signature = signature = plan.signature
        self._epochs = epochs
        self._answer: Answer | None = None
        self._cue = Cue(voice.handover)
        self._turns = None
        self._grid_ticks = None if voice.launch == "now" else grid_ticks(voice.launch, signature)
        """The lines that its answers begin on; None: they begin at once."""
        if voice.handover.by == "turns":
            # Bars are a song's, from its beginning, if a song is followed.
            bars, anchored = voice.handover.bars, plan.sync != "internal"
            self._turns = Turns(bars, voice.answer_bars or bars, signature, anchored=anchored)
            self._grid_ticks = signature.bar_ticks
        self._call = Call(
            self.memory.ear,
            voice.handover,
            signature,
            self._turns,
            grid_ticks=self._grid_ticks,
            on_pulse=self._grid_ticks is None and not self._mode.keeps_place,
        )
        self._ends = None if voice.morph is None else Ends(voice.morph, signature.bar_ticks, self._grid_ticks)

    @property
    def state(self) -> State:
        """`listening`, `waiting` (handed over, not yet sounding) or `answering`."""
        if self._answer is None or self._answer.launch_ticks is None:
            return "listening"
        return "waiting" if self._answer.shift_ticks is None else "answering"

    def doing(self, now: Moment) -> str:
        """In words: whose turn it is, and what it waits for."""
        if self.held:
            return "the transport is stopped"
        answer, call, bar_ticks = self._answer, self._call, self._signature.bar_ticks
        if answer is not None and answer.launch_ticks is not None:
            if answer.shift_ticks is None or now.ticks < answer.launch_ticks:
                return f"waiting for the next {line}" if (line := self._line) else "waiting for its first note"
            who = f"{self.plan.fallback} stands in" if answer.chair == "fallback" else "answering"
            if answer.end_ticks is None or not (call.counts_bars or self.plan.answer_bars):
                return f"{who}: it is its turn" if self._mode.ends else f"{who} until you touch a key"
            return f"{who}: {bars_left(answer.end_ticks - now.ticks, bar_ticks)}"
        if not self.memory.seated("main"):
            return f"{self.plan.generator} is getting ready"
        if call.counts_bars and call.handover_ticks is not None:
            return f"it is your turn: {bars_left(call.handover_ticks - now.ticks, bar_ticks)}"
        if call.begin_ticks is None:
            return "listening: it is your turn"
        if call.breathes:
            return "a breath? it waits for you to go on"
        rule = call.patient_rule
        if rule.by == "silence" and (down := self.memory.ear.pitches_down):
            return held_keys(down)
        return awaited(rule)

    @property
    def _line(self) -> str:
        """The line in musical time that it begins on, in words; none, if it begins at once."""
        if self._turns is not None:
            return "bar"
        return "" if self.plan.launch == "now" else self.plan.launch.replace("_", " ")

    def look_ahead(self, ticks: int) -> None:
        """Decide what can be so long before its tick, for an output that may be handed a note early."""
        self._call.ahead_ticks = ticks

    # ---- what comes in -------------------------------------------------------------------------------------------

    def hear(self, message: bytes, now: Moment, port: str = "") -> list[Command]:
        """Take in the player's message, which came from `port`."""
        if message[0] >= 0xF0 or messages.channel(message) not in self.plan.input_channels:
            return []
        if self._ends is not None and self._ends.swallows(message):
            return self._capture(self._ends.capture(message, port), now)
        if self.swallows(message):
            return self._command(message, now, port)
        onset = messages.is_note_on(message)
        if onset and not self.plan.input_low <= message[1] <= self.plan.input_high:
            return []
        said = self._touch(now) if onset and self._turns is None else []
        if self._ends is not None:
            self._ends.hear(message, now.ticks, port, begins=onset and self._call.begin_ticks is None)
        before = self.memory.ear.last_onset_ticks
        if not self.memory.hear(message, now.ticks, port) or self.held:
            return said
        if onset:
            self._call.strike(now, before)
        if self._is_called:
            self._call.go_on(now)
            if self._call.weighing_ticks is not None and self._answer is not None:
                pass  # What was played is weighed first, and then the players are told.
            elif onset or self._answer is None or self.plan.handover.by == "silence":
                said += self._guess(now)
            else:
                self._call.revise_later(now)
        return said

    def swallows(self, message: bytes) -> bool:
        """Whether the message is a command to this voice rather than music."""
        return self._cue.swallows(message) or (self._ends is not None and self._ends.swallows(message))

    def turn(self, control: str, value: ControlValue, now: Moment) -> list[Command]:
        """Set a control; the generator's, the range and the scale are heard in the next phrase."""
        if control in self.controls or control not in VOICE_CONTROL_NAMES:
            self.controls[control] = value if isinstance(value, str) else float(value)
        else:
            self.plan = turned(self.plan, control, value)
            self._call.rule = self.plan.handover
        return self._guess(now) if self._is_called else []

    def ready(self, chair: Chair, now: Moment) -> list[Command]:
        """A player has taken its chair."""
        self.memory.seat(chair)
        if self.state != "listening":
            return []
        return self._guess(now) if self._is_called else self._remind(now.ticks)

    def lost(self, chair: Chair, reason: str, now: Moment) -> list[Command]:
        """A player is gone; whatever it guessed goes with it."""
        self.memory.vacate(chair)
        answer = self._answer
        return [] if answer is None or answer.chair != chair else self._fail(answer, reason, now)

    def failed(self, failure: Failed, now: Moment) -> list[Command]:
        """A player raised or returned nonsense."""
        answer = self._answer
        if answer is None or (answer.epoch, answer.chair) != (failure.epoch, failure.chair):
            return []
        return self._fail(answer, failure.reason, now)

    def give_up(self, now: Moment) -> list[Command]:
        """Forget the call and the answer, and take every key and pedal for released."""
        self.memory.flush(now.ticks)
        return self._stop(now.ticks, now) if self._answer is not None else []

    def receive(self, continuation: Continuation, now: Moment) -> list[Command]:
        """A player's phrase has come; a stale one is dropped."""
        answer = self._answer
        if answer is None or (continuation.epoch, continuation.chair, continuation.index) != (
            answer.epoch,
            answer.chair,
            answer.wanted,
        ):
            return []
        phrase = continuation.phrase
        answer.wanted = None
        answer.deadline_ticks = None
        answer.count += 1
        answer.composed_end_ticks = phrase.end_ticks
        answer.phrases.append(phrase)
        if answer.launch_ticks is None:
            # An answer may open with rests; its first note must be known by the hand-over all the same.
            silent = not any(phrase.notes for phrase in answer.phrases)
            return self._ask(answer, now) if silent and answer.count < RESTS_ALLOWED else []
        due = answer.launch_ticks if answer.shift_ticks is None else phrase.start_ticks + answer.shift_ticks
        said: list[Command] = []
        if now.ticks > due:
            said.append(Decision("late", self.index, now.ticks, "the phrase came late"))
        return said + self._place(now)

    # ---- time ----------------------------------------------------------------------------------------------------

    def next_ticks(self) -> int | None:
        """The next tick at which time alone changes something."""
        answer = self._answer
        if answer is None or answer.launch_ticks is None:
            return self._call.next_ticks()
        times = (answer.ask_ticks, answer.deadline_ticks, answer.end_ticks)
        return min((ticks for ticks in times if ticks is not None), default=None)

    def advance(self, now: Moment) -> list[Command]:
        """Do what is due at `now`."""
        answer = self._answer
        if answer is None or answer.launch_ticks is None:
            return self._advance_call(now)
        if answer.end_ticks is not None and now.ticks >= answer.end_ticks:
            told = Decision("end", self.index, now.ticks, "the answer is over")
            said = [told, *self._stop(answer.end_ticks, now), *self._remind(answer.end_ticks)]
            self._call.begin_turn(now)
            return said
        if answer.deadline_ticks is not None and now.ticks >= answer.deadline_ticks:
            return self._stand_in("it is late", now)
        if answer.ask_ticks is not None and now.ticks >= answer.ask_ticks:
            answer.ask_ticks = None
            self._let_go(now.ticks)
            return self._ask(answer, now) if answer.failure is None else self._stand_in(answer.failure, now)
        return []

    # ---- the call ------------------------------------------------------------------------------------------------

    @property
    def _is_called(self) -> bool:
        """Whether it listens to a call."""
        return self.state == "listening" and self._call.begin_ticks is not None

    def _advance_call(self, now: Moment) -> list[Command]:
        """Do what is due in the call at `now`."""
        due = self._call.due(now)
        match due:
            case "weigh":
                self._call.weigh(now)
                return self._guess(now)
            case "breathe":
                self._call.breathe()
                text = f"a breath? it waits {self._call.patient_rule.breath_beats:g} beats for you to go on"
                return [Decision("breath", self.index, now.ticks, text)]
            case "hand over":
                # Turns may be so short that their end is decided before anything was guessed.
                return [*(self._guess(now) if self._answer is None else []), *self._hand_over(now)]
            case "revise":
                return self._guess(now)
            case None:
                return []
            case _:
                assert_never(due)

    def _command(self, message: bytes, now: Moment, port: str) -> list[Command]:
        if not self._cue.given(message, port):
            return []
        if self.state != "listening":
            said = self._touch(now)
            return said + (self._remind(now.ticks) if self._call.begin_ticks is None else self._guess(now))
        return self._hand_over(now) if self._is_called else []

    def _capture(self, captured: str | None, now: Moment) -> list[Command]:
        if captured is None:
            return []
        told = Decision("capture", self.index, now.ticks, captured)
        return [told, *(self._guess(now) if self._is_called else [])]

    def _launch_at(self, ticks: int) -> int:
        """Where an answer begins that is wanted from `ticks` on."""
        if self._grid_ticks is not None:
            return next_multiple(ticks, self._grid_ticks)
        if not self._mode.keeps_place:
            return ticks
        begun = self._call.begin_ticks or 0  # A loop goes on in the player's own beat, wherever that lies.
        return begun + next_multiple(ticks - begun, self._signature.beat_ticks)

    def _answer_length(self, call_end_ticks: int) -> int | None:
        if not self._mode.ends:
            return None
        bars = self.plan.answer_bars or (self._call.patient_rule.bars if self._call.counts_bars else None)
        length = self.plan.length if self._turns is None else 1
        if bars is not None:
            return next_multiple(round(length * bars * self._signature.bar_ticks), self._signature.beat_ticks)
        call = round(length * (call_end_ticks - (self._call.begin_ticks or 0)))
        grid = self._grid_ticks
        whole = call if grid is None else next_multiple(call, min(grid, self._signature.bar_ticks))
        return max(self._signature.beat_ticks, whole)

    def _guess(self, now: Moment) -> list[Command]:
        """The call has changed: tell the players, and let them begin on an answer as though it ended here."""
        end = self._call.end_ticks(now)
        length = self._answer_length(end)
        end = self._call.whole_beats(end)
        self._call.revision_ticks = None
        epoch = next(self._epochs)
        answer = self._answer = Answer(epoch, end, length, end, self._constraints())
        said: list[Command] = [command for chair in CHAIRS for command in self.memory.prime(chair, epoch, end)]
        return said + self._ask(answer, now)

    def _constraints(self) -> Constraints:
        """What an answer to what is remembered keeps to."""
        limits = playable(self.plan.constraints)
        return within_scale(limits, self.memory.ear.notes) if self.plan.heard_scale else limits

    def _hand_over(self, now: Moment) -> list[Command]:
        answer = self._answer
        assert answer is not None, "every call comes with a guess at its answer"
        # What was guessed with keys still down took the call for shorter than it is.
        answer.length_ticks = self._answer_length(self._call.end_ticks(now))
        self._call.hand_over(now)
        answer.launch_ticks = self._launch_at(max(self._call.until_ticks, self._call.busy_until_ticks))
        said: list[Command] = [Decision("handover", self.index, answer.launch_ticks, f"by {self.plan.handover.by}")]
        if not self.memory.seated("main"):
            return said + self._stand_in(answer.failure or "it has not started yet", now)
        if answer.failure is not None:
            return said + self._stand_in(answer.failure, now)
        if answer.phrases:
            return said + self._place(now)
        answer.deadline_ticks = self._deadline(answer, now)
        return said

    # ---- the answer ----------------------------------------------------------------------------------------------

    def _ask(self, answer: Answer, now: Moment) -> list[Command]:
        start, last = answer.composed_end_ticks, answer.last_ticks
        # The first phrase is guessed anew at every key: a beat is soon composed, and leaves time for the bar after it.
        opening = answer.count == 0 or answer.shift_ticks is None
        # While a key is down nobody knows how long the call will have been.
        growing = answer.launch_ticks is None and bool(self.memory.ear.keys_down)
        longest = self._signature.beat_ticks if opening else self._stretch(start - answer.origin_ticks)
        length = longest if last is None else min(longest, last - start)
        if length <= 0:
            return []
        if not self.memory.seated(answer.chair):
            return [] if answer.launch_ticks is None else self._stand_in("it is gone", now)
        answer.wanted = answer.count
        seconds = PATIENCE_SECONDS
        if answer.launch_ticks is not None:
            answer.deadline_ticks = self._deadline(answer, now)
            seconds += (answer.deadline_ticks - now.ticks) * 60 / (now.bpm * 480)
        request = Request(
            start,
            length,
            dict(self.controls),
            answer.constraints,
            seconds,
            final=last is not None and start + length >= last and not growing,
            bar_ticks=self._signature.bar_ticks,
            tempo_bpm=now.bpm,
            given=None if self._ends is None else self._ends.morph(),
            left_ticks=None if last is None or growing else last - start,
            opens=self._call.entry is not None and answer.count == 0 and answer.chair == "main",
            call_ticks=self._call.begin_ticks,
            answer_ticks=answer.origin_ticks,
        )
        return [Extend(self.index, answer.chair, answer.epoch, answer.count, request)]

    def _stretch(self, since_ticks: int) -> int:
        """How much to ask for, `since_ticks` after the answer began: a bar; or the rest of half a bar."""
        bar_ticks = self._signature.bar_ticks
        if not self._mode.by_half_bars:
            return bar_ticks
        unit = bar_ticks // 2 if self._signature.beats % 2 == 0 else bar_ticks
        return next_multiple(since_ticks + 1, unit) - since_ticks

    def _deadline(self, answer: Answer, now: Moment) -> int:
        # Never a matter of when a phrase came that came in time: so the launch counts, not the present before it.
        needed = max(answer.launch_ticks or 0, now.ticks)
        if answer.chair == "fallback":
            return needed + seconds_to_ticks(GIVE_UP_SECONDS, now.bpm)
        soonest = needed + seconds_to_ticks(PATIENCE_SECONDS, now.bpm)
        if answer.shift_ticks is None:
            return soonest
        due = answer.composed_end_ticks + answer.shift_ticks
        return max(due - self._call.ahead_ticks - seconds_to_ticks(MARGIN_SECONDS, now.bpm), soonest)

    def _place(self, now: Moment) -> list[Command]:
        """Give the phrases that have come their place in time and hand them to the schedule."""
        answer = self._answer
        assert answer is not None
        assert answer.launch_ticks is not None
        said: list[Command] = []
        while answer.phrases:
            phrase = answer.phrases.pop(0)
            last = answer.last_ticks
            more = last is None or answer.composed_end_ticks < last
            opening = answer.count == 1 or answer.shift_ticks is None
            if answer.shift_ticks is None:
                if not phrase.notes:
                    if answer.phrases:
                        continue
                    if answer.wanted is not None:
                        answer.deadline_ticks = self._deadline(answer, now)
                        return said
                    if answer.count >= RESTS_ALLOWED or not more:
                        return said + self._stand_in("it plays nothing", now)
                    return said + self._ask(answer, now)
                self._launch(answer, phrase.notes[0], now)
                assert answer.launch_ticks is not None
                said.append(Decision("answer", self.index, answer.launch_ticks, "the first note falls here"))
            assert answer.shift_ticks is not None
            end = answer.end_ticks
            notes = [note.shifted(answer.shift_ticks) for note in phrase.notes]
            # What should have sounded long ago would come out as one cluster: better left out.
            earliest = now.ticks - seconds_to_ticks(PATIENCE_SECONDS, now.bpm)
            notes = [_not_before(note, now.ticks) for note in notes if note.start_ticks >= earliest]
            notes = [note for note in notes if end is None or note.start_ticks < end]
            if end is not None:
                notes = [note.clipped(end) for note in notes]
            answer.played += notes
            answer.played.sort(key=score_order)  # Of those put off to the present, any pitch may be the first.
            if notes:
                said.append(Play(self.index, tuple(notes)))
            if more:
                # The first is short, so what follows it is asked for at once; a later one when its own moment comes.
                begins = now.ticks if opening else phrase.start_ticks + answer.shift_ticks
                if self._mode.by_half_bars:
                    early_ticks = seconds_to_ticks(LEAD_SECONDS, now.bpm) + self._call.ahead_ticks
                    begins = phrase.end_ticks + answer.shift_ticks - early_ticks
                answer.ask_ticks = max(now.ticks, begins)
        return said

    def _launch(self, answer: Answer, first: Note, now: Moment) -> None:
        launch, grid = answer.launch_ticks or 0, self._grid_ticks
        late_ticks = now.ticks - launch
        if late_ticks > 0 and grid is None:
            launch = now.ticks
        elif grid is not None and late_ticks > seconds_to_ticks(PATIENCE_SECONDS, now.bpm):
            launch = next_multiple(now.ticks, self._signature.beat_ticks)
        start = first.start_ticks
        if grid is not None and self.plan.follows == "beat":
            start -= start % self._signature.beat_ticks
        if self._mode.keeps_place:
            start = answer.origin_ticks  # With its rests: it is a loop that keeps its place in the bar.
        if self._turns is not None and answer.length_ticks is not None:
            answer.length_ticks -= launch - (answer.launch_ticks or 0)  # However late it begins, a turn ends in time.
        answer.launch_ticks, answer.shift_ticks = launch, launch - start

    def _stand_in(self, reason: str, now: Moment) -> list[Command]:
        """Let the fallback go on from here; if it is the fallback that fails, fall silent."""
        answer = self._answer
        assert answer is not None
        assert answer.launch_ticks is not None
        name = self.plan.generator if answer.chair == "main" else self.plan.fallback
        text = f"{name}: {reason}"
        if answer.chair == "fallback" or not self.memory.seated("fallback"):
            silent = Decision("silent", self.index, now.ticks, text)
            said = [silent, *self._stop(now.ticks, now), *self._remind(now.ticks)]
            self._call.begin_turn(now)
            return said
        told = Decision("fallback", self.index, now.ticks, f"{text}; {self.plan.fallback} plays")
        answer.chair, answer.epoch, answer.count = "fallback", next(self._epochs), 0
        answer.failure = answer.wanted = answer.ask_ticks = answer.deadline_ticks = None
        if answer.shift_ticks is None:
            answer.composed_end_ticks = answer.origin_ticks  # There was nothing but rests.
        else:
            # It goes on from the answer as it was played, so in session time.
            last_onset = max((note.start_ticks for note in answer.played), default=0)
            answer.origin_ticks += answer.shift_ticks
            # What came late may have been begun after its phrase was over.
            answer.composed_end_ticks = max(answer.composed_end_ticks + answer.shift_ticks, last_onset + 1)
            answer.shift_ticks = 0
        prime = self.memory.prime("fallback", answer.epoch, answer.composed_end_ticks, tuple(answer.played))
        return [told, *prime, *self._ask(answer, now)]

    def _fail(self, answer: Answer, reason: str, now: Moment) -> list[Command]:
        """The player of `answer` cannot go on with it."""
        if answer.launch_ticks is None:
            origin = answer.origin_ticks  # Whatever was guessed so far is worth nothing without what follows.
            self._answer = Answer(answer.epoch, origin, answer.length_ticks, origin, answer.constraints, failure=reason)
            return []
        answer.failure = reason
        return self._stand_in(reason, now) if answer.wanted is not None else []

    # ---- giving way ----------------------------------------------------------------------------------------------

    def _touch(self, now: Moment) -> list[Command]:
        """The player has touched a key: a sounding answer gives way, one that has not begun yet is put off."""
        answer = self._answer
        if answer is None or answer.launch_ticks is None:
            return []
        if now.ticks < self._call.until_ticks:
            return []  # The hand-over is decided, but its bars are not over yet.
        if not answer.sounds(now.ticks):
            self._answer = None
            if self.plan.handover.by == "bars":
                self._call.begin_ticks = None  # Its bars are over: what is played now is the next call.
            told = Decision("touch", self.index, now.ticks, "put off: the player goes on")
            return [told, Silence(self.index, now.ticks)]
        end = now.ticks
        if self.plan.touch != "stop":
            end = next_multiple(now.ticks, grid_ticks(self.plan.touch, self._signature))
            if answer.end_ticks is not None:
                end = min(end, answer.end_ticks)
        self._call.busy_until_ticks = end
        return [Decision("touch", self.index, now.ticks, "touched: the player has the floor"), *self._stop(end, now)]

    def _stop(self, end_ticks: int, now: Moment) -> list[Command]:
        """End the answer at `end_ticks`, remember what of it was played, and listen."""
        # What begins at this very tick has been sent already; what would begin at a later end has not.
        self._let_go(end_ticks + 1 if end_ticks <= now.ticks else end_ticks, clip_ticks=end_ticks)
        self._answer = None
        self._call.forget()
        return [Silence(self.index, end_ticks)]

    def _remind(self, end_ticks: int) -> list[Command]:
        return [*self.memory.remind(next(self._epochs), end_ticks)]

    def _let_go(self, before_ticks: int, clip_ticks: int | None = None) -> None:
        """Move the answer's notes that started before `before_ticks` into the memory.

        Without `clip_ticks` the answer goes on: from the first that still sounds on they stay, as a touch may cut it.
        """
        answer = self._answer
        assert answer is not None
        past = [note for note in answer.played if note.start_ticks < before_ticks]
        if clip_ticks is None:
            past = list(takewhile(lambda note: (note.end_ticks or 0) <= before_ticks, past))
        answer.played = answer.played[len(past) :]
        if clip_ticks is not None:
            past = [note.clipped(clip_ticks) for note in past]
        self.memory.remember(past)


def _not_before(note: Note, ticks: int) -> Note:
    """`note`, begun at `ticks` at the earliest, with its end where it was."""
    if note.start_ticks >= ticks:
        return note
    return replace(note, start_ticks=ticks, length_ticks=max(1, (note.end_ticks or 0) - ticks))
