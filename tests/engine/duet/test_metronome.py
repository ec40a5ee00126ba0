"""The click: on which beats, how it is counted in, and that it ends like every other note."""

from __future__ import annotations

import pytest
from stages import Rehearsal

from antiphon.duet.events import (
    CountInBegan,
    MetronomeSwitched,
    Skipped,
    TempoChanged,
    TransportStarted,
    TransportStopped,
)
from antiphon.duet.metronome import Metronome
from antiphon.duet.offline import Offline
from antiphon.duet.plan import Handover, MetronomePlan, Plan, VoicePlan
from antiphon.duet.schedule import METRONOME, PLAYER
from antiphon.music import messages
from antiphon.music.timing import TimeSignature
from antiphon.session.header import Header
from antiphon.session.journal import Record
from antiphon.session.summary import hanging, score_of, statistics

LOW, HIGH = 77, 76
VOICE = VoicePlan("echo", fallback="low", handover=Handover(by="pedal"))


def clicks(metronome: Metronome, until_ticks: int) -> list[tuple[int, int]]:
    """(tick, pitch) of the clicks before `until_ticks`."""
    found = []
    while (due := metronome.next_ticks()) is not None and due < until_ticks:
        found += [(note.start_ticks, note.pitch) for note in metronome.due(due)]
    return found


def clicking(signature: TimeSignature) -> Metronome:
    return Metronome(MetronomePlan(on=True), signature)


def test_it_clicks_the_beats_and_higher_on_the_first_of_a_bar() -> None:
    found = clicks(clicking(TimeSignature(3, 4)), 2000)
    assert found == [(0, HIGH), (480, LOW), (960, LOW), (1440, HIGH), (1920, LOW)]


@pytest.mark.parametrize(
    ("beats", "unit", "beat_ticks"),
    [(4, 4, 480), (2, 2, 960), (6, 8, 720), (12, 8, 720), (9, 16, 360), (3, 8, 240), (7, 8, 240), (6, 4, 480)],
)
def test_a_compound_metre_is_clicked_in_threes_and_every_other_in_its_beats(
    beats: int, unit: int, beat_ticks: int
) -> None:
    signature = TimeSignature(beats, unit)
    found = clicks(clicking(signature), 2 * signature.bar_ticks)
    assert [ticks for ticks, _ in found] == list(range(0, 2 * signature.bar_ticks, beat_ticks))
    assert [ticks for ticks, pitch in found if pitch == HIGH] == [0, signature.bar_ticks]


def test_switched_on_it_begins_with_the_next_beat() -> None:
    metronome = Metronome(MetronomePlan(), TimeSignature())
    assert metronome.next_ticks() is None
    metronome.switch(True, 481)
    assert metronome.next_ticks() == 960
    metronome.switch(False, 500)
    assert not metronome.on


@pytest.mark.parametrize(("on", "last"), [(False, 5280), (True, 6240)])
def test_a_count_in_begins_on_a_bar_line_and_ends_on_one(on: bool, last: int) -> None:
    metronome = Metronome(MetronomePlan(on=on, count_in_bars=2), TimeSignature(), waits=True)
    assert metronome.next_ticks() is None, "it waits until everything is ready"
    metronome.count_in(100)
    assert metronome.music_ticks == 1920 + 2 * 1920
    found = clicks(metronome, 6250)
    assert found[0] == (1920, HIGH)
    assert found[-1][0] == last


def test_no_bars_to_count_are_no_clicks() -> None:
    metronome = Metronome(MetronomePlan(), TimeSignature())
    metronome.count_in(100)
    assert not metronome.on


def test_while_the_transport_is_stopped_it_is_silent_and_comes_back_on_the_beat() -> None:
    metronome = clicking(TimeSignature())
    clicks(metronome, 500)
    metronome.hold(True, 500)
    assert metronome.next_ticks() is None
    metronome.hold(False, 1500)
    assert metronome.next_ticks() == 1920


def plan(metronome: MetronomePlan, **more: object) -> Plan:
    return Plan(voices=(VOICE,), metronome=metronome, **({"outputs": ("virtual",)} | more))  # type: ignore[arg-type]


def clicked(jam: Rehearsal) -> list[tuple[int, int]]:
    return [(s.due_ticks, s.output) for s in jam.sends if s.source == METRONOME and messages.is_note_on(s.message)]


def test_every_click_has_its_end() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True)))
    jam.advance(1000)
    assert jam.notes(METRONOME) == [(0, HIGH, 60), (480, LOW, 540), (960, LOW, None)]
    jam.duet.end(1000)
    assert jam.notes(METRONOME)[-1] == (960, LOW, 1000)
    assert jam.duet.next_ticks() is None


def test_a_panic_ends_it_and_it_can_be_turned_on_again() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True)))
    jam.advance(970)
    jam.duet.panic(970)
    jam.advance(5000)
    assert clicked(jam)[-1][0] == 960
    jam.duet.change(MetronomeSwitched(5000, True))
    jam.advance(5300)
    assert clicked(jam)[-1][0] == 5280


def test_it_is_heard_where_the_player_listens_or_where_the_preset_says() -> None:
    def outputs(*names: str, output: str | None = None) -> list[int]:
        jam = Rehearsal(plan(MetronomePlan(on=True, output=output), outputs=names))
        jam.advance(10)
        return [output for _, output in clicked(jam)]

    assert outputs("auto") == [1], "of our own port and the built-in synth, the synth"
    assert outputs("virtual", "Piano") == [0, 1]
    assert outputs("auto", "Piano", output="Piano") == [2]


def test_it_is_on_channel_10_and_as_loud_as_the_preset_says() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True, velocity=33)))
    jam.advance(0)
    assert [s.message for s in jam.sends if s.source == METRONOME] == [messages.note_on(9, HIGH, 33)]


def test_the_player_is_heard_during_the_count_in() -> None:
    jam = Rehearsal(plan(MetronomePlan(count_in_bars=1)))
    jam.duet.change(CountInBegan(0))
    jam.tone(100)
    assert jam.duet.performer.voices[0].state == "listening"
    assert jam.notes(PLAYER) == [(100, 60, 200)]
    jam.hear(700, messages.control_change(0, messages.SOSTENUTO, 127))
    assert jam.notes()[0][0] == 700, "and answered"
    jam.advance(9000)
    assert clicked(jam) == [(0, 0), (480, 0), (960, 0), (1440, 0)]


def test_a_tempo_change_moves_the_clicks() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True)))
    jam.duet.change(TempoChanged(480, 60.0))
    jam.advance(2000)
    assert [jam.duet.timeline.seconds_at(ticks) for ticks, _ in clicked(jam)] == [0.0, 0.5, 1.5, 2.5, 3.5]


def test_it_stops_and_skips_with_the_transport_of_a_clock() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True), sync="midi"))
    jam.duet.change(TransportStopped(500))
    jam.duet.change(TransportStarted(1500))
    jam.duet.change(Skipped(1600, 3840))
    jam.advance(4400)
    assert [ticks for ticks, _ in clicked(jam)] == [0, 480, 3840, 4320]


def test_where_a_midi_clock_is_followed_nothing_is_waited_for() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True, count_in_bars=2), sync="midi"))
    jam.advance(10)
    assert clicked(jam) == [(0, 0)]


def test_another_preset_brings_its_own_click_and_none_is_counted_in_again() -> None:
    waltz = plan(MetronomePlan(on=True, count_in_bars=1, note=60), signature=TimeSignature(3, 4))
    jam = Rehearsal(plan(MetronomePlan()), waltz)
    jam.duet.select(1, 1000)
    jam.advance(2000)
    assert [(start, pitch) for start, pitch, _ in jam.notes(METRONOME)] == [(1440, HIGH), (1920, 60)]


def test_a_key_of_the_player_on_the_same_drum_ends_the_click_and_is_not_cut_off_by_it() -> None:
    jam = Rehearsal(plan(MetronomePlan(on=True)))
    jam.hear(490, messages.note_on(9, LOW, 80))
    jam.hear(600, messages.note_off(9, LOW))
    sent = [(s.due_ticks, messages.is_note_on(s.message), s.source) for s in jam.sends if s.due_ticks >= 480]
    assert sent == [(480, True, METRONOME), (490, False, METRONOME), (490, True, PLAYER), (600, False, PLAYER)]


def test_a_session_played_again_has_its_clicks_and_its_score_has_none() -> None:
    plans = (plan(MetronomePlan(count_in_bars=1)), plan(MetronomePlan()))
    jam = Rehearsal(*plans)
    jam.duet.change(CountInBegan(300))
    jam.tone(4000)
    jam.duet.change(MetronomeSwitched(4100, True))
    jam.advance(7000)
    jam.duet.select(1, 7000)
    jam.duet.change(MetronomeSwitched(7000, True))
    jam.duet.change(MetronomeSwitched(9000, False))
    jam.duet.end(9100)
    assert len(clicked(jam)) == 4 + 6 + 4
    again = Offline(plans, lambda role: pytest.fail("nobody was asked to play"))
    again.replay(event for event in jam.record_of if not hasattr(event, "slot") and not hasattr(event, "epoch"))
    assert [s for s in again.sends if s.source == METRONOME] == [s for s in jam.sends if s.source == METRONOME]
    header, records = Header(plans, ("virtual",), {}, ""), [Record(what) for what in jam.record_of]
    assert hanging(records) == 0
    score = score_of(header, records)
    assert [len(track.messages) for track in score.tracks] == [2, 0]
    values = statistics(header, records)
    assert (values["notes_heard"], values["notes_played"]) == (1, 0)
