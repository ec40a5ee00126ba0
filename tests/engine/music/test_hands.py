"""Nobody lets go what another holds: keys, pedals and wheels of several ports on one output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stages import Rehearsal

from antiphon.duet.plan import Handover, Plan, VoicePlan
from antiphon.duet.schedule import PLAYER
from antiphon.music import messages
from antiphon.music.hands import Hands
from antiphon.music.messages import SOFT, SUSTAIN, control_change, note_off, note_on, pitch_bend

ON, OFF = note_on(0, 60, 80), note_off(0, 60)
EVERYTHING_OFF = [120, *range(123, 128)]
ECHO = VoicePlan("echo", fallback="low", handover=Handover(by="pedal"), answer_bars=4)


def passed(*moves: tuple[str, bytes], output: int = 0) -> list[bytes]:
    hands = Hands()
    return [message for port, moved in moves for message in hands.pass_on(output, moved, port)]


def test_of_one_port_everything_is_passed_on_untouched() -> None:
    moves = [ON, ON, OFF, OFF, control_change(0, SUSTAIN, 40), control_change(0, SUSTAIN, 3), control_change(0, 123, 0)]
    moves += [control_change(0, 121, 0), pitch_bend(0, 9000), b"\xf0\x7e\xf7", b"\xc0\x05", control_change(0, 7, 9)]
    assert passed(*(("keys", message) for message in moves)) == moves


def test_who_leaves_lets_go_what_nobody_else_holds() -> None:
    hands = Hands()
    for port, message in (("one", ON), ("two", ON), ("one", note_on(0, 64, 1)), ("one", control_change(0, SUSTAIN, 9))):
        hands.pass_on(0, message, port)
    assert hands.leave("one") == [(0, note_off(0, 64)), (0, control_change(0, SUSTAIN, 0))]
    assert hands.leave("one") == []
    assert hands.leave("two") == [(0, OFF)]


def test_a_key_comes_up_with_the_last_hand_on_it() -> None:
    assert passed(("one", ON), ("two", ON), ("two", OFF), ("one", OFF)) == [ON, ON, OFF]
    assert passed(("one", ON), ("two", ON), ("one", OFF), ("one", OFF), ("two", OFF)) == [ON, ON, OFF]
    assert passed(("one", ON), ("two", note_off(1, 60)), ("two", note_off(0, 61))) == [
        ON,
        note_off(1, 60),
        note_off(0, 61),
    ]


def test_a_pedal_is_as_deep_as_the_deepest_foot() -> None:
    def pedal(value: int) -> bytes:
        return control_change(0, SUSTAIN, value)

    moves = [("one", pedal(90)), ("two", pedal(40)), ("two", pedal(100)), ("one", pedal(60)), ("two", pedal(0))]
    assert passed(*moves, ("one", pedal(0))) == [pedal(90), pedal(100), pedal(60), pedal(0)]


def test_a_bend_goes_back_when_the_last_wheel_does() -> None:
    up, down, rest = pitch_bend(0, 9000), pitch_bend(0, 7000), pitch_bend(0, messages.BEND_REST)
    assert passed(("one", up), ("two", down), ("two", rest)) == [up, down, up]
    assert passed(("one", up), ("one", rest)) == [up, rest]


@pytest.mark.parametrize("controller", EVERYTHING_OFF)
def test_what_ends_everything_ends_what_its_own_sender_holds(controller: int) -> None:
    off = control_change(0, controller, 0)
    daw = [("daw", note_on(0, 67, 50)), ("daw", note_on(0, 64, 50)), ("daw", ON), ("daw", off)]
    assert passed(("keys", ON), *daw)[-2:] == [note_off(0, 64), note_off(0, 67)]
    assert passed(("keys", ON), ("keys", OFF), *daw)[-1] == off, "nobody else holds anything"
    assert passed(("keys", note_on(1, 60, 80)), *daw)[-1] == off, "on another channel"
    assert passed(("keys", control_change(0, SUSTAIN, 30)), ("daw", off)) == [control_change(0, SUSTAIN, 30)]


def test_who_resets_all_controllers_lifts_his_own_pedals() -> None:
    reset, soft, sustain = control_change(0, 121, 0), control_change(0, SOFT, 127), control_change(0, SUSTAIN, 127)
    assert passed(("keys", sustain), ("daw", sustain), ("daw", soft), ("daw", reset))[-1] == control_change(0, SOFT, 0)
    assert passed(("keys", ON), ("daw", soft), ("daw", reset))[-1] == reset


moves = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.one_of(
            st.builds(note_on, st.integers(0, 1), st.integers(60, 62), st.integers(1, 127)),
            st.builds(note_off, st.integers(0, 1), st.integers(60, 62)),
            st.builds(control_change, st.integers(0, 1), st.sampled_from([64, 67, 120, 121, 123]), st.integers(0, 127)),
            st.builds(pitch_bend, st.integers(0, 1), st.sampled_from([0, 8192, 16_383])),
        ),
    ),
    max_size=40,
)


@given(moves)
def test_a_synth_sounds_what_anybody_holds_and_nothing_else(moved: list[tuple[str, bytes]]) -> None:
    hands = Hands()
    held: dict[str, dict[messages.Key, int]] = {"one": {}, "two": {}, "three": {}}
    synth: dict[messages.Key, int] = {}
    for port, message in moved:
        _play(held[port], message)
        for out in hands.pass_on(0, message, port):
            _play(synth, out)
        for key in {key for by in (*held.values(), synth) for key in by}:
            deepest = max(by.get(key, 0) for by in held.values())
            if key[0] == messages.CONTROL_CHANGE:
                assert synth.get(key, 0) == deepest
            else:
                assert (synth.get(key, 0) > 0) == (deepest > 0)


def _play(holds: dict[messages.Key, int], message: bytes) -> None:
    """What a synth makes of a message, for which a channel is a channel."""
    key = messages.held_with(message)
    if key is not None:
        holds[key] = messages.depth(message)
    elif message[1] in (120, 121, 123):
        for other in list(holds):
            if other[1] == messages.channel(message) and (other[0] == messages.NOTE_ON) == (message[1] != 121):
                holds[other] = 0


# ---- in a duet -------------------------------------------------------------------------------------------------------


def rehearse() -> Rehearsal:
    return Rehearsal(Plan(voices=(ECHO,), outputs=("virtual",)))


def own(jam: Rehearsal) -> list[bytes]:
    return [send.message for send in jam.sends if send.source == PLAYER]


@pytest.mark.parametrize("controller", [None, *EVERYTHING_OFF])
def test_a_held_key_sounds_on_and_keeps_the_floor(controller: int | None) -> None:
    """While another keyboard taps it, or a DAW ends everything, on its channel or another."""
    jam = Rehearsal(Plan(voices=(VoicePlan("echo", fallback="low"),), outputs=("virtual",)))
    jam.duet.hear(ON, 0, port="keys")
    others = [ON, OFF] if controller is None else [control_change(c, controller, 0) for c in range(16)]
    for n, message in enumerate(others):
        jam.duet.hear(message, 20 + n, port="daw")
    jam.advance(5000)
    assert OFF not in own(jam)
    assert control_change(0, controller or 123, 0) not in own(jam)
    assert [voice.state for voice in jam.duet.performer.voices] == ["listening"]
    assert jam.duet.performer.voices[0].memory.ear.keys_down == 1
    jam.duet.hear(OFF, 5000, port="keys")
    assert own(jam)[-1] == OFF
    jam.advance(9000)
    assert "handover" in [getattr(event, "kind", "") for event in jam.record_of]


def test_all_notes_off_of_a_daw_spares_a_voice_that_answers_on_that_channel() -> None:
    jam = rehearse()
    jam.tone(0)
    for value in (127, 0):
        jam.hear(500, control_change(0, messages.SOSTENUTO, value))
    jam.advance(510)
    jam.duet.hear(control_change(1, 123, 0), 520, port="daw")
    assert control_change(1, 123, 0) not in own(jam)
    jam.advance(700)
    jam.duet.hear(control_change(1, 123, 0), 700, port="daw")
    assert own(jam)[-1] == control_change(1, 123, 0), "nothing sounds there now"


def test_the_end_puts_back_what_is_half_pressed_or_bent() -> None:
    jam = rehearse()
    set_off = [control_change(0, SUSTAIN, 20), control_change(3, SOFT, 127), pitch_bend(2, 8191), b"\xd2\x05"]
    for n, message in enumerate(set_off):
        jam.duet.hear(message, n, port="keys")
    jam.duet.end(100)
    assert set(own(jam)[len(set_off) :]) == {
        control_change(0, SUSTAIN, 0),
        control_change(3, SOFT, 0),
        pitch_bend(2, messages.BEND_REST),
        b"\xd2\x00",
    }
