"""Turns the records of a performance into what is on screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from antiphon.duet.commands import Decision
from antiphon.duet.events import (
    Chosen,
    CountInBegan,
    Ended,
    Heard,
    Located,
    MetronomeSwitched,
    PlayerAnswered,
    PlayerFailed,
    PlayerLost,
    PlayerReady,
    Restarted,
    Selected,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.plan import Plan, VoicePlan
from antiphon.duet.schedule import Send
from antiphon.duet.standing import Standing
from antiphon.duet.voice_controls import RANGE
from antiphon.music import messages
from antiphon.music.note_names import pitch_name
from antiphon.music.timing import Timeline
from antiphon.processes.supervisor import Notice
from antiphon.session.journal import Record
from antiphon.terminal.screen import Screen

STALL_SECONDS: Final = 0.01
"""A message that leaves so much after its moment was held up by the machine, not by whoever composed it."""
_STALLS_TOLD_SECONDS: Final = 1.0
"""Of stalls in a row, one in so long is told."""
_TOLD: Final = {"fallback", "silent", "late", "capture", "idle"}
"""Decisions that a person should see in words."""
_ABOUT_AN_ANSWER: Final = {"touch", "end", "silent"}
"""Decisions after which an answer is not waited for."""
_KNOBS: Final = {1: "mod wheel", 2: "breath", 4: "foot pedal", 7: "volume", 10: "pan", 11: "expression"}
_UNMAPPED: Final = frozenset({0, 6, 32, 38, *range(64, 70), *range(96, 102)})
"""Controllers that nobody expects to turn anything here: banks, pedals, parameter numbers."""
_WHEN: Final = {"now": "now", "beat": "on the beat", "bar": "on the bar", "answer": "when the answer is over"}


def lane_names(plan: Plan) -> list[str]:
    """A name for each voice: its generator's, and what tells it apart from another voice of the same."""
    count = Counter(voice.generator for voice in plan.voices)
    names = [v.generator if count[v.generator] == 1 else f"{v.generator} {_listens_to(v)}" for v in plan.voices]
    twice = {name for name, times in Counter(names).items() if times > 1}
    return [f"{name} {number}" if name in twice else name for number, name in enumerate(names, start=1)]


def _listens_to(voice: VoicePlan) -> str:
    if (voice.input_low, voice.input_high) != (0, 127):
        return f"{pitch_name(voice.input_low)} to {pitch_name(voice.input_high)}"
    if voice.inputs is not None:
        return f"on {', '.join(name.removeprefix('virtual:') for name in sorted(voice.inputs))}"
    return f"on channel {voice.channel + 1}"


class Show:
    """Knows what plays, and tells a screen what has happened."""

    def __init__(self, plans: Sequence[Plan], screen: Screen) -> None:
        self._plans = plans
        self._screen = screen
        self._standing = Standing.first(plans)
        self._timeline = Timeline(plans[0].tempo_bpm, plans[0].signature)
        self._shown_outputs: dict[int, int] = {}
        self._meant_ticks: dict[int, int] = {}
        self._last_text = ""
        self._stalled_seconds = -_STALLS_TOLD_SECONDS
        """When a stall was told last."""
        self._stalled_ticks = -1
        """Up to here what is late may be so because of a stall."""
        self._tell_setlist()

    def records(self, records: Sequence[Record]) -> None:
        """Tell what these records say."""
        for record in records:
            what = record.what
            self._standing = self._standing.after(what)
            match what:
                case Heard():
                    self._note(0, what.message, what.ticks)
                    self._turned(what)
                case Send():
                    self._sent(what, record.late_seconds)
                case Decision():
                    self._decided(what)
                case Chosen():
                    self._tell_setlist()
                case Selected():
                    self._select(what.plan, what.ticks)
                case Restarted():
                    if what.plan:
                        self._select(what.plan, what.ticks)
                case TempoChanged():
                    self._timeline.set_tempo(what.bpm, what.ticks)
                    self._screen.tempo(what.bpm, self._timeline.seconds_at(what.ticks), what.towards_bpm)
                case Located():
                    self._screen.locate(self._standing.song_ahead_ticks)
                case MetronomeSwitched():
                    self._screen.report(f"metronome {'on' if what.on else 'off'}")
                case CountInBegan():
                    self._screen.report("counting in from the next bar on")
                case Ended():
                    if what.panic:
                        self._screen.report("panic: everything is silent")
                case Skipped():
                    self._timeline.jump(what.ticks, what.to_ticks)
                    self._screen.skip_to(what.to_ticks, self._timeline.seconds_at(what.to_ticks))
                case (
                    PlayerReady()
                    | PlayerLost()
                    | PlayerAnswered()
                    | PlayerFailed()
                    | TransportStarted()
                    | TransportStopped()
                ):
                    pass  # What comes of them is told by decisions, notices, and what a voice is doing.
                case _:
                    assert_never(what)

    def notice(self, notice: Notice) -> None:
        """Tell what the supervisor has to say."""
        if notice.kind == "doings":
            for part, text in enumerate(notice.doings[: 1 + len(self._standing.plan.voices)]):
                self._screen.state(part, text)
            return
        if notice.kind == "ports":
            self._screen.ports(notice.inputs, notice.outputs)
        if notice.text != self._last_text:
            self._screen.report(notice.text)
        self._last_text = notice.text

    def _select(self, number: int, ticks: int) -> None:
        plan = self._plans[number]
        self._meant_ticks.clear()
        self._shown_outputs.clear()
        self._timeline.set_tempo(plan.tempo_bpm, ticks)
        self._timeline.signature = plan.signature
        self._screen.select(plan.name, lane_names(plan), plan.signature)
        self._screen.tempo(plan.tempo_bpm, self._timeline.seconds_at(ticks))
        if plan.sync == "internal" and not plan.clock_out:
            self._screen.locate(None)
        self._tell_setlist()

    def _tell_setlist(self) -> None:
        coming = ""
        if self._standing.chosen is not None:
            plan = self._plans[self._standing.chosen]
            coming = f"{plan.name} {_WHEN[plan.switch or 'now']}"
        if len(self._plans) > 1:
            self._screen.setlist([plan.name for plan in self._plans], self._standing.selected, coming)

    def _sent(self, send: Send, late_seconds: float | None) -> None:
        late, seconds = late_seconds or 0.0, self._timeline.seconds_at(send.due_ticks)
        stalled = late if late >= STALL_SECONDS else 0.0
        if stalled:
            self._tell_stall(f"the machine stalled: what was due then left {1000 * stalled:.0f} ms late", seconds)
        if send.source < 0 or self._shown_outputs.setdefault(send.source, send.output) != send.output:
            return
        self._note(send.source + 1, send.message, send.due_ticks)
        if messages.is_note_on(send.message) and send.source in self._meant_ticks:
            meant = self._timeline.seconds_at(self._meant_ticks.pop(send.source))
            self._screen.answered(send.source, 1000 * (seconds - meant + late - stalled), 1000 * stalled)

    def _decided(self, decision: Decision) -> None:
        if decision.kind == "handover":
            self._meant_ticks[decision.voice] = decision.ticks
        elif decision.kind in _ABOUT_AN_ANSWER:
            self._meant_ticks.pop(decision.voice, None)
        if decision.kind == "stall":
            self._stalled_ticks = decision.ticks
            self._tell_stall(decision.text, self._timeline.seconds_at(decision.ticks))
        elif decision.kind in _TOLD:
            excused = decision.kind in ("late", "fallback") and decision.ticks <= self._stalled_ticks
            self._screen.report(f"{decision.text}; the machine had stalled" if excused else decision.text)

    def _tell_stall(self, text: str, seconds: float) -> None:
        if seconds >= self._stalled_seconds + _STALLS_TOLD_SECONDS:
            self._stalled_seconds = seconds
            self._screen.report(text)

    def _turned(self, heard: Heard) -> None:
        """A knob moved: what it turns, or that it turns nothing."""
        if messages.kind(heard.message) != messages.CONTROL_CHANGE:
            return
        _, number, position = heard.message
        plan = self._standing.plan
        knob = _KNOBS.get(number, f"cc {number}")
        turned = dict(_turns(plan, number, position))
        if turned:
            told = ", ".join(f"{control} {value}" for control, value in turned.items())
            self._screen.turned(number, f"{told}, {knob}")
        elif number < messages.ALL_SOUND_OFF and number not in _UNMAPPED and number not in _signals(plan):
            passed = "; it is passed on" if plan.thru else ""
            named = f" ({knob})" if number in _KNOBS else ""
            self._screen.turned(number, f"cc {number}{named} does nothing here{passed}")

    def _note(self, part: int, message: bytes, ticks: int) -> None:
        seconds = self._timeline.seconds_at(ticks)
        if messages.is_note_on(message):
            self._screen.note_on(part, message[1], message[2], seconds)
        elif messages.is_note_off(message):
            self._screen.note_off(part, message[1], seconds)


def _turns(plan: Plan, number: int, position: int) -> Iterator[tuple[str, str]]:
    """The controls that a controller turns, with what it turns them to."""
    for mapping in plan.controllers:
        if mapping.controller == number:
            value = mapping.value_at(position)
            own = mapping.control in plan.voices[mapping.voice].controls
            several = len({m.voice for m in plan.controllers if m.controller == number}) > 1
            control = f"{mapping.control} of voice {mapping.voice + 1}" if several else mapping.control
            if isinstance(value, str):
                yield control, value
            else:
                yield control, pitch_name(round(value)) if mapping.control in RANGE and not own else f"{value:.2f}"


def _signals(plan: Plan) -> set[int | None]:
    """Controllers that hand over or capture: what they do is seen."""
    rules = {voice.handover.trigger_cc for voice in plan.voices if voice.handover.by == "trigger"}
    return rules | {voice.morph.capture_cc for voice in plan.voices if voice.morph is not None}
