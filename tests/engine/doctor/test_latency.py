"""Outputs that get what is played earlier or later: what leaves when, that no note hangs, that it plays again."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stages import LiveLike, Rehearsal
from test_performances import perform, performances, plans
from toys import toy_player

from antiphon.duet.events import MetronomeSwitched, Skipped, TempoChanged
from antiphon.duet.ledger import Ledger
from antiphon.duet.offline import Offline
from antiphon.duet.plan import Handover, MetronomePlan, Plan, VoicePlan
from antiphon.duet.routing import output_names, output_offsets
from antiphon.duet.schedule import PLAYER, Send
from antiphon.music import messages
from antiphon.music.timing import seconds_to_ticks
from antiphon.processes.outgoing import Outgoing, Waiting
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.session.summary import hanging, score_of

PRESS, LIFT = (messages.control_change(0, messages.SOSTENUTO, value) for value in (127, 0))
ECHO = VoicePlan("echo", fallback="low", handover=Handover(by="pedal"), answer_bars=4)
PLAN = Plan(voices=(ECHO,), outputs=("Early", "virtual", "Late"), latency={"Early": -50.0, "Late": 50.0})
"""At 120 bpm a tick is a little more than a millisecond: 50 ms are 48 ticks, and 2 more to spare."""


class Shifted(LiveLike):
    """A stage like the real one whose outputs have offsets. What leaves by each wire is kept, with its moment."""

    def __init__(self, plans: list[Plan], random: Random, stamping: set[int]) -> None:
        """`stamping`: the outputs whose ports keep a message until its moment themselves."""
        names = output_names(plans)
        self.offsets = [output_offsets(plan, names) for plan in plans]
        self.stamping = stamping
        self.outgoing = Outgoing()
        self.wires: list[list[tuple[float, bytes]]] = [[] for _ in names]
        self.down = Ledger(len(names))
        self._reached_ticks: dict[int, int] = {}
        super().__init__(plans, lambda role: toy_player(role.generator), random)

    def send(self, send: Send) -> None:
        reached = self._reached_ticks.get(send.output, 0)
        early = self.duet.schedule.release_ticks(send) > self.duet.timeline.ticks_at(self.clock.now())
        # With another offset, what ends a note that began early may have to wait until that was due.
        assert not early or send.due_ticks == reached, f"{send} before its time"
        self.ledger.mark(send.output, send.message)
        self.record_of.append(send)
        now = self.clock.now()
        if send.source == PLAYER:
            if messages.is_note_on(send.message):
                for item in self.outgoing.make_way(send.output, send.message, now):
                    self._leave(item)
            self._put_on_wire(send.output, send.message, None)
            return
        assert send.due_ticks >= reached, f"{send} after one that was due later"
        self._reached_ticks[send.output] = send.due_ticks
        moment = self.duet.timeline.seconds_at(send.due_ticks) + self.offsets[self.duet.selected][send.output]
        early = 0.002 if send.output in self.stamping else 0.0
        self.outgoing.put(send.output, send.message, moment, early_seconds=early, record=len(self.record_of))
        self.let_leave()

    def let_leave(self) -> None:
        for item in self.outgoing.due(self.clock.now()):
            assert item.output in self.stamping or item.moment_seconds <= self.clock.now()
            self._leave(item)

    def panic(self) -> None:
        super().panic()
        self._flush()

    def end(self) -> None:
        super().end()
        self._flush()

    def restart(self) -> None:
        self.outgoing = Outgoing()  # What the dead engine kept is lost; what may sound is on record.
        self._reached_ticks.clear()
        for output, message in list(self.down.silencing()):
            self._put_on_wire(output, message, None)
        super().restart()

    def _flush(self) -> None:
        for item in self.outgoing.flush(self.clock.now()):
            self._leave(item)

    def _leave(self, item: Waiting) -> None:
        self._put_on_wire(item.output, item.message, item.moment_seconds if item.output in self.stamping else None)

    def _put_on_wire(self, output: int, message: bytes, at_seconds: float | None) -> None:
        self.down.mark(output, message)
        now = self.clock.now()
        self.wires[output].append((now if at_seconds is None else max(now, at_seconds), message))

    def _next_seconds(self) -> float | None:
        moments = [moment for moment in (super()._next_seconds(), self.outgoing.next_seconds()) if moment is not None]
        return min(moments, default=None) if self.outgoing else super()._next_seconds()

    def _let_players_work(self) -> None:
        self.let_leave()
        super()._let_players_work()


def hanging_on(wire: list[tuple[float, bytes]]) -> set[tuple[int, int]]:
    """Channel and pitch of the notes that never end, in the order in which they really leave."""
    down: set[tuple[int, int]] = set()
    for _, message in sorted(wire, key=lambda item: item[0]):  # As a port that stamps puts them in order.
        key = (messages.channel(message), message[1]) if message[0] < 0xF0 else (0, 0)
        if messages.is_note_on(message):
            down.add(key)
        elif messages.is_note_off(message):
            down.discard(key)
    return down


offsets_ms = st.sampled_from([-100.0, -30.0, -2.7, 0.0, 5.0, 40.0, 100.0])
shifted_plans = st.builds(
    lambda plan, offsets: replace(plan, latency=dict(zip(output_names([plan]), offsets, strict=False))),
    plans,
    st.tuples(offsets_ms, offsets_ms),
)


@settings(max_examples=100)
@given(
    st.lists(shifted_plans, min_size=1, max_size=3),
    performances,
    st.integers(0, 2**32),
    st.sets(st.integers(0, 3)),
)
def test_whatever_the_offsets_nothing_hangs_on_any_wire_and_it_can_be_played_again(
    plans: list[Plan], steps: list[tuple[Any, ...]], seed: int, stamping: set[int]
) -> None:
    stage = Shifted(plans, Random(seed), stamping)
    perform(stage, steps)
    assert [hanging_on(wire) for wire in stage.wires] == [set() for _ in stage.wires]
    assert not list(stage.down.silencing()), "the ledger of what left says that something is down"
    assert hanging([Record(what) for what in stage.record_of]) == 0
    again = Offline(plans, lambda role: toy_player(role.generator))
    again.duet.begin()
    again.replay(stage.record_of)
    assert again.sends == stage.sends


# ---- when the duet hands on ------------------------------------------------------------------------------------------


def call(jam: Rehearsal, ticks: int) -> None:
    """A call of one note that is handed over 500 ticks after its beginning; four bars of quarters answer."""
    jam.tone(ticks)
    jam.hear(ticks + 500, PRESS)
    jam.hear(ticks + 500, LIFT)


def handed_on(jam: Rehearsal, since_ticks: int, until_ticks: int) -> list[tuple[int, int, int, bytes]]:
    """What the voices' outputs are handed, tick by tick: (when, output, its own tick, message)."""
    found = []
    jam.advance(since_ticks - 1)
    for ticks in range(since_ticks, until_ticks):
        before = len(jam.sends)
        jam.advance(ticks)
        found += [(ticks, s.output, s.due_ticks, s.message) for s in jam.sends[before:] if s.source != PLAYER]
    return found


def test_an_early_output_is_handed_a_note_before_its_tick_and_the_others_at_it() -> None:
    jam = Rehearsal(PLAN)
    call(jam, 0)
    on, off = messages.note_on(1, 72, 80), messages.note_off(1, 72)
    assert handed_on(jam, 900, 1110) == [
        (930, 0, 980, on),
        (980, 1, 980, on),
        (980, 2, 980, on),
        (1050, 0, 1100, off),
        (1100, 1, 1100, off),
        (1100, 2, 1100, off),
    ]


def test_without_latency_all_is_as_it_was() -> None:
    plain, zero = Rehearsal(replace(PLAN, latency={})), Rehearsal(replace(PLAN, latency={"Early": 0.0}))
    for jam in (plain, zero):
        call(jam, 0)
        jam.advance(4000)
    assert plain.record_of == zero.record_of
    assert plain.duet.schedule.lead_ticks(range(3)) == zero.duet.schedule.lead_ticks(range(3)) == 0


def test_a_note_wanted_sooner_than_the_lead_begins_as_soon_as_may_be_and_is_as_long() -> None:
    jam = Rehearsal(PLAN)
    call(jam, 0)
    jam.advance(700)
    first = [s for s in jam.sends if s.message[1] == 72]
    assert [(s.output, s.due_ticks) for s in first if messages.is_note_on(s.message)] == [(0, 548), (1, 500), (2, 500)]
    assert [(s.output, s.due_ticks) for s in first if messages.is_note_off(s.message)] == [(0, 668), (1, 620), (2, 620)]


def test_a_touch_ends_what_began_early_and_nothing_else_begins() -> None:
    jam = Rehearsal(PLAN)
    call(jam, 0)
    jam.advance(950)  # The early output has the note of tick 980 already.
    jam.hear(950, messages.note_on(0, 40, 80))
    jam.advance(3000)
    late = [s for s in jam.sends if s.due_ticks > 700 and s.source == 0]
    assert late == [Send(0, messages.note_on(1, 72, 80), 980, 0), Send(0, messages.note_off(1, 72), 980, 0)]
    score = score_of_rehearsal(jam)
    assert [ticks for ticks, _ in score] == sorted(ticks for ticks, _ in score)


def score_of_rehearsal(jam: Rehearsal) -> list[tuple[int, bytes]]:
    """The voice's track in the session's score."""
    header = Header(jam.duet.plans, output_names(jam.duet.plans), {}, "")
    return list(score_of(header, [Record(what) for what in jam.record_of]).tracks[1].messages)


def test_a_new_tempo_moves_what_has_not_been_handed_on() -> None:
    jam = Rehearsal(PLAN)
    call(jam, 0)
    jam.advance(800)
    jam.duet.change(TempoChanged(800, 240.0))
    lead = seconds_to_ticks(0.05, 240.0) + 4
    assert [(when, due) for when, output, due, _ in handed_on(jam, 801, 981) if output == 0] == [(980 - lead, 980)]


def test_a_skip_over_what_began_early_ends_it() -> None:
    jam = Rehearsal(PLAN)
    call(jam, 0)
    jam.advance(950)
    jam.duet.change(Skipped(950, 1920))
    jam.advance(4000)
    assert [s for s in jam.sends if s.due_ticks > 700] == [
        Send(0, messages.note_on(1, 72, 80), 980, 0),
        Send(0, messages.note_off(1, 72), 980, 0),
    ]


def test_another_preset_has_offsets_of_its_own() -> None:
    jam = Rehearsal(PLAN, replace(PLAN, latency={"virtual": -10.0}))
    jam.duet.select(1, 100)
    assert [jam.duet.schedule.lead_ticks([output]) for output in range(3)] == [0, 12, 0]


def test_a_click_is_early_too_and_is_called_off_with_the_metronome() -> None:
    click = MetronomePlan(on=True, output="Early", velocity=100)
    jam = Rehearsal(replace(PLAN, metronome=click))
    strike = messages.note_on(9, 77, 100)
    assert [(w, d) for w, _, d, m in handed_on(jam, 100, 1000) if m == strike] == [(430, 480), (910, 960)]
    jam.duet.change(MetronomeSwitched(1380, False))
    jam.duet.change(MetronomeSwitched(1390, True))
    assert [(w, d) for w, _, d, m in handed_on(jam, 1390, 1900) if m == strike] == [(1390, 1440)]
    jam.duet.change(MetronomeSwitched(1900, False))
    jam.advance(5000)
    assert jam.duet.schedule.sounding() == 0


def test_offline_hands_on_in_the_same_order_and_a_recording_that_breaks_off_ends_where_it_does() -> None:
    stage = Offline([PLAN], lambda role: toy_player(role.generator))
    stage.begin()
    stage.hear(messages.note_on(0, 60, 80), 0)
    stage.hear(messages.note_off(0, 60), 100)
    stage.hear(PRESS, 500)
    for ticks in range(500, 2000, 7):
        stage.advance(ticks)
        again = Offline([PLAN], lambda role: toy_player(role.generator))
        again.replay(stage.record_of)
        assert again.record_of == stage.record_of, f"broken off at {ticks}"
    early = [send.due_ticks for send in stage.sends if send.output == 0]
    assert early == sorted(early)


def by_bars(**more: Any) -> Plan:
    voice = VoicePlan("echo", fallback="low", handover=Handover(by="bars", bars=1), launch="bar", answer_bars=1, **more)
    return replace(PLAN, voices=(voice,))


def test_an_answer_at_a_bar_line_is_in_time_on_an_early_output_too() -> None:
    for plan in (
        by_bars(),
        replace(PLAN, voices=(replace(by_bars().voices[0], handover=Handover(by="turns", bars=1)),)),
    ):
        jam = Rehearsal(plan)
        jam.tone(100)
        first = [(s.output, s.due_ticks) for s in jam.sends if s.source == 0]
        assert first == []
        found = handed_on(jam, 1800, 1930)
        assert [(when, output, due) for when, output, due, _ in found] == [
            (1870, 0, 1920),
            (1920, 1, 1920),
            (1920, 2, 1920),
        ]
        assert ("handover", 1920) in jam.decisions()


def test_a_key_struck_after_that_but_before_the_bar_line_belongs_to_the_call() -> None:
    jam = Rehearsal(by_bars())
    jam.tone(100)
    jam.tone(1900, length_ticks=10)
    jam.advance(4200)
    assert [d for d in jam.decisions() if d[0] == "touch"] == []
    assert [start for start, _, _ in jam.notes()] == [1920, 2400, 2880, 3360]
    heard = [note.start_ticks for note in jam.duet.performer.voices[0].memory.ear.notes if note.pitch == 60]
    assert heard == [100, 1900]


def test_a_key_struck_after_the_bar_line_stops_the_answer() -> None:
    jam = Rehearsal(by_bars())
    jam.tone(100)
    jam.tone(1925)
    jam.advance(4200)
    assert ("touch", 1925) in jam.decisions()
    assert [(start, end) for start, _, end in jam.notes() if start < 3840] == [(1920, 1925)]


# ---- what waits ------------------------------------------------------------------------------------------------------

ON, OFF = messages.note_on(1, 60, 80), messages.note_off(1, 60)


def left(items: list[Waiting]) -> list[tuple[int, bytes, float]]:
    return [(item.output, item.message, item.moment_seconds) for item in items]


def test_messages_leave_at_their_moment_each_output_in_order() -> None:
    outgoing = Outgoing()
    outgoing.put(0, ON, 2.0, record=0)
    outgoing.put(1, ON, 1.0, record=1)
    outgoing.put(1, OFF, 1.0, record=2)
    outgoing.put(0, OFF, 1.5, record=3)  # With another preset the offset is smaller: it does not overtake its note-on.
    assert outgoing.next_seconds() == 1.0
    assert left(outgoing.due(1.0)) == [(1, ON, 1.0), (1, OFF, 1.0)]
    assert outgoing.first_kept == 0
    assert left(outgoing.due(5.0)) == [(0, ON, 2.0), (0, OFF, 2.0)]
    assert (len(outgoing), outgoing.first_kept) == (0, None)


def test_a_port_that_stamps_gets_them_earlier() -> None:
    outgoing = Outgoing()
    outgoing.put(0, ON, 2.0, early_seconds=0.5, record=0)
    assert outgoing.due(1.49) == []
    assert left(outgoing.due(1.5)) == [(0, ON, 2.0)]


def test_the_pulses_of_a_clock_do_not_hold_up_the_music() -> None:
    outgoing = Outgoing()
    outgoing.put(0, b"\xf8", 3.0)
    outgoing.put(0, ON, 1.0, record=7, keeps=5)
    assert (outgoing.next_seconds(), outgoing.first_kept) == (1.0, 5)
    outgoing.drop_clock()
    assert left(outgoing.due(9.0)) == [(0, ON, 1.0)]


def test_a_note_that_waits_makes_way_for_the_player_and_one_that_sounds_is_ended() -> None:
    outgoing = Outgoing()
    for record, (output, message) in enumerate(
        [(0, ON), (0, OFF), (0, messages.note_on(1, 61, 80)), (1, ON), (0, ON), (0, OFF)]
    ):
        outgoing.put(output, message, 1.0 + record, record=record)
    outgoing.due(1.0)
    assert left(outgoing.make_way(0, messages.note_on(1, 60, 33), 1.5)) == [(0, OFF, 1.5)]
    assert left(outgoing.due(9.0)) == [(0, messages.note_on(1, 61, 80), 3.0), (1, ON, 4.0)]


def test_at_the_end_what_sounds_is_ended_at_once_and_nothing_begins() -> None:
    outgoing = Outgoing()
    outgoing.put(0, ON, 1.002, early_seconds=0.002, record=0)
    outgoing.put(0, OFF, 1.5, record=1)
    outgoing.put(0, ON, 1.6, record=2)
    outgoing.put(0, b"\xf8", 1.6)
    assert left(outgoing.due(1.0)) == [(0, ON, 1.002)]
    assert left(outgoing.flush(1.001)) == [(0, OFF, 1.002)], "the port keeps the note-on a moment longer"
    assert len(outgoing) == 0
