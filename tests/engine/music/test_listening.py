"""What the ear makes of keys and pedals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.ear import Ear, EarChange
from antiphon.music.messages import SOSTENUTO, SUSTAIN, control_change, note_off, note_on
from antiphon.notes import Note, score_order

PEDAL_DOWN = control_change(0, SUSTAIN, 127)
PEDAL_UP = control_change(0, SUSTAIN, 0)

few_pitches = st.integers(60, 64)
channels = st.integers(0, 1)
messages = st.one_of(
    st.builds(note_on, channels, few_pitches, st.integers(0, 127)),
    st.builds(note_off, channels, few_pitches),
    st.builds(
        control_change,
        channels,
        st.sampled_from([SUSTAIN, SUSTAIN, SOSTENUTO, 1, 120, 121, 123]),
        st.sampled_from([0, 63, 64, 127]),
    ),
    st.just(bytes((0xC0, 5))),
    st.just(bytes((0xE0, 0, 64))),
)
performances = st.lists(st.tuples(st.integers(0, 3), messages), max_size=60)


def heard(*events: tuple[int, bytes]) -> list[Note]:
    ear = Ear()
    for ticks, message in events:
        ear.hear(message, ticks)
    return list(ear.notes)


def test_a_note_is_held_until_its_key_comes_up() -> None:
    ear = Ear()
    assert ear.hear(note_on(0, 60, 80), 10) == EarChange("onset", 0)
    assert ear.notes == [Note(10, 60, None, 80)]
    assert (ear.keys_down, ear.last_onset_ticks, ear.last_release_ticks) == (1, 10, None)
    assert ear.hear(note_off(0, 60), 25) == EarChange("release", 0)
    assert ear.notes == [Note(10, 60, 15, 80)]
    assert (ear.keys_down, ear.last_onset_ticks, ear.last_release_ticks) == (0, 10, 25)


def test_a_note_on_of_velocity_zero_is_a_release() -> None:
    assert heard((0, note_on(0, 60, 80)), (7, note_on(0, 60, 0))) == [Note(0, 60, 7, 80)]


def test_a_release_without_a_press_is_ignored() -> None:
    assert Ear().hear(note_off(0, 60), 5) is None


def test_no_note_has_length_zero() -> None:
    assert heard((3, note_on(0, 60, 80)), (3, note_off(0, 60))) == [Note(3, 60, 1, 80)]


def test_striking_a_key_again_without_release_ends_the_earlier_note() -> None:
    notes = heard((0, note_on(0, 60, 80)), (10, note_on(0, 60, 90)), (30, note_off(0, 60)))
    assert notes == [Note(0, 60, 10, 80), Note(10, 60, 20, 90)]


def test_a_doubled_note_on_is_one_note() -> None:
    assert heard((0, note_on(0, 60, 80)), (0, note_on(0, 60, 90))) == [Note(0, 60, None, 90)]


def test_the_sustain_pedal_keeps_a_released_note_sounding_until_it_comes_up() -> None:
    ear = Ear()
    assert ear.hear(PEDAL_DOWN, 0) is None
    ear.hear(note_on(0, 60, 80), 0)
    assert ear.hear(note_off(0, 60), 10) == EarChange("release", 1), "the key is up, but no note changed"
    assert ear.keys_down == 0
    assert ear.notes[0].length_ticks is None
    assert ear.hear(PEDAL_UP, 50) == EarChange("pedal", 0)
    assert ear.notes == [Note(0, 60, 50, 80)]


def test_a_key_still_down_outlasts_the_pedal() -> None:
    ear = Ear()
    for message in (PEDAL_DOWN, note_on(0, 60, 80)):
        ear.hear(message, 0)
    assert ear.hear(PEDAL_UP, 50) is None
    assert ear.notes == [Note(0, 60, None, 80)]


def test_a_pedal_counts_as_down_from_sixty_four() -> None:
    for value, length in ((63, 10), (64, None)):
        half = control_change(0, SUSTAIN, value)
        assert heard((0, half), (0, note_on(0, 60, 80)), (10, note_off(0, 60))) == [Note(0, 60, length, 80)]


def test_a_pedal_works_on_its_own_channel_only() -> None:
    assert heard((0, PEDAL_DOWN), (0, note_on(1, 60, 80)), (10, note_off(1, 60))) == [Note(0, 60, 10, 80)]


def test_sostenuto_holds_only_the_keys_that_were_down() -> None:
    notes = heard(
        (0, note_on(0, 60, 80)),
        (5, control_change(0, SOSTENUTO, 100)),
        (6, note_on(0, 64, 80)),
        (7, control_change(0, SOSTENUTO, 127)),  # the same press, a little deeper
        (10, note_off(0, 60)),
        (10, note_off(0, 64)),
        (40, control_change(0, SOSTENUTO, 0)),
    )
    assert notes == [Note(0, 60, 40, 80), Note(6, 64, 4, 80)]


def test_all_sound_off_ends_the_notes_of_its_channel_even_under_the_pedal() -> None:
    ear = Ear()
    for message in (PEDAL_DOWN, note_on(0, 60, 80), note_on(1, 62, 80)):
        ear.hear(message, 0)
    assert ear.hear(control_change(0, 120, 0), 20) == EarChange("release", 0)
    assert ear.notes == [Note(0, 60, 20, 80), Note(0, 62, None, 80)]
    assert ear.keys_down == 1


@pytest.mark.parametrize("controller", range(123, 128))
def test_all_notes_off_lifts_the_keys_of_its_channel_and_spares_what_a_pedal_holds(controller: int) -> None:
    ear = Ear()
    for message in (PEDAL_DOWN, note_on(0, 60, 80), note_on(1, 62, 80)):
        ear.hear(message, 0)
    assert ear.hear(control_change(0, controller, 0), 20) == EarChange("release", 2), "a key came up, and no note ended"
    assert (ear.keys_down, ear.last_release_ticks) == (1, 20)
    assert ear.hear(control_change(0, controller, 0), 21) is None
    assert ear.hear(PEDAL_UP, 50) == EarChange("pedal", 0)
    assert ear.notes == [Note(0, 60, 50, 80), Note(0, 62, None, 80)]
    ear.hear(control_change(1, controller, 0), 60)
    assert ear.notes[1] == Note(0, 62, 60, 80)


# ---- several ports ---------------------------------------------------------------------------------------------------


def test_a_key_held_on_one_keyboard_sounds_on_while_another_taps_it() -> None:
    ear = Ear()
    ear.hear(note_on(0, 60, 80), 0, "one")
    ear.hear(note_on(0, 60, 70), 10, "two")
    assert ear.hear(note_off(0, 60), 20, "two") == EarChange("release", 1)
    assert (ear.notes, ear.keys_down) == ([Note(0, 60, None, 80), Note(10, 60, 10, 70)], 1)
    ear.hear(note_off(0, 60), 30, "one")
    assert (ear.notes, ear.keys_down) == ([Note(0, 60, 30, 80), Note(10, 60, 10, 70)], 0)


@pytest.mark.parametrize("controller", [120, *range(123, 128)])
def test_what_ends_everything_is_about_the_port_that_it_comes_from(controller: int) -> None:
    ear = Ear()
    ear.hear(note_on(0, 60, 80), 0, "keys")
    ear.hear(note_on(0, 60, 70), 5, "daw")
    ear.hear(note_on(0, 64, 70), 5, "daw")
    assert ear.hear(control_change(0, controller, 0), 20, "pads") is None
    assert ear.hear(control_change(0, controller, 0), 20, "daw") == EarChange("release", 1)
    assert ear.notes == [Note(0, 60, None, 80), Note(5, 60, 15, 70), Note(5, 64, 15, 70)]


def test_a_pedal_holds_what_is_played_on_another_port_and_comes_up_with_the_last_foot() -> None:
    ear = Ear()
    for message, port in ((PEDAL_DOWN, "foot"), (PEDAL_DOWN, "keys"), (note_on(0, 60, 80), "keys")):
        ear.hear(message, 0, port)
    ear.hear(note_off(0, 60), 10, "keys")
    ear.hear(control_change(0, 121, 0), 20, "keys")
    assert ear.notes == [Note(0, 60, None, 80)]
    ear.hear(PEDAL_UP, 30, "foot")
    assert ear.notes == [Note(0, 60, 30, 80)]


def test_what_only_a_pedal_holds_is_struck_anew_from_any_port() -> None:
    ear = Ear()
    for ticks, message, port in (
        (0, PEDAL_DOWN, "one"),
        (0, note_on(0, 60, 80), "one"),
        (10, note_off(0, 60), "one"),
        (20, note_on(0, 60, 70), "two"),
    ):
        ear.hear(message, ticks, port)
    assert ear.notes == [Note(0, 60, 20, 80), Note(20, 60, None, 70)]


def test_sostenuto_holds_the_keys_that_were_down_on_any_port_until_the_last_foot_is_up() -> None:
    ear = Ear()
    press, lift = (control_change(0, SOSTENUTO, value) for value in (127, 0))
    for ticks, message, port in (
        (0, note_on(0, 60, 80), "one"),
        (1, press, "two"),
        (2, note_on(0, 64, 80), "two"),
        (3, press, "one"),
        (10, note_off(0, 60), "one"),
        (10, note_off(0, 64), "two"),
        (20, lift, "two"),
    ):
        ear.hear(message, ticks, port)
    assert [note.length_ticks for note in ear.notes] == [None, None]
    ear.hear(lift, 30, "one")
    assert [note.end_ticks for note in ear.notes] == [30, 30]


def test_resetting_all_controllers_lifts_the_pedals() -> None:
    notes = heard((0, PEDAL_DOWN), (0, note_on(0, 60, 80)), (10, note_off(0, 60)), (30, control_change(0, 121, 0)))
    assert notes == [Note(0, 60, 30, 80)]


def test_flush_lifts_the_pedals_too() -> None:
    ear = Ear()
    for message in (PEDAL_DOWN, note_on(0, 60, 80)):
        ear.hear(message, 0)
    assert ear.flush(20) == EarChange("release", 0)
    assert ear.flush(21) is None
    ear.hear(note_on(0, 62, 80), 30)
    ear.hear(note_off(0, 62), 40)
    assert ear.notes == [Note(0, 60, 20, 80), Note(30, 62, 10, 80)]


def test_forgetting_keeps_what_still_sounds() -> None:
    ear = Ear()
    for ticks, message in (
        (0, note_on(0, 40, 80)),
        (1, note_on(0, 60, 80)),
        (5, note_off(0, 60)),
        (9, note_on(0, 62, 80)),
    ):
        ear.hear(message, ticks)
    ear.forget_before(9)
    assert ear.notes == [Note(0, 40, None, 80), Note(9, 62, None, 80)]
    assert ear.hear(note_off(0, 40), 12) == EarChange("release", 0)


def test_a_count_is_forgotten_but_what_was_struck_together_is_kept_together_unless_it_is_all() -> None:
    ear = Ear()
    ear.remember([Note(ticks, pitch, 1, 80) for ticks, pitch in ((0, 60), (5, 60), (5, 64), (9, 67))])
    ear.forget(2)
    assert [(note.start_ticks, note.pitch) for note in ear.notes] == [(5, 60), (5, 64), (9, 67)]
    ear.forget(1)
    assert [(note.start_ticks, note.pitch) for note in ear.notes] == [(5, 64), (9, 67)]


def test_what_others_played_is_remembered_in_order_beside_what_was_heard() -> None:
    ear = Ear()
    for ticks, message in ((0, note_on(0, 60, 80)), (5, note_off(0, 60)), (30, note_on(0, 62, 80))):
        ear.hear(message, ticks)
    assert ear.remember([Note(20, 72, 5, 70), Note(10, 71, 5, 70)]) == 1
    assert [note.pitch for note in ear.notes] == [60, 71, 72, 62]
    assert ear.remember([]) == 4
    assert ear.hear(note_off(0, 62), 40) == EarChange("release", 3)


@given(performances)
def test_whatever_is_played_the_notes_are_in_order_and_flush_closes_them_all(
    performance: list[tuple[int, bytes]],
) -> None:
    ear = Ear()
    now = 0
    for gap, message in performance:
        now += gap
        before = list(ear.notes)
        keys_before = ear.keys_down
        change = ear.hear(message, now)
        after = list(ear.notes)
        assert after == sorted(after, key=score_order)
        if change is None:
            assert all(a is b for a, b in zip(before, after, strict=True))
            assert ear.keys_down == keys_before
        else:
            index = change.first_changed
            assert all(a is b for a, b in zip(before[:index], after[:index], strict=True))
            unchanged = index < min(len(before), len(after)) and before[index] is after[index]
            assert not unchanged, "the index points at the first change, not before it"
        assert all(note.length_ticks is None or note.length_ticks >= 1 for note in after)
        assert ear.keys_down <= sum(note.length_ticks is None for note in after)
    ear.flush(now)
    assert ear.keys_down == 0
    assert all(note.length_ticks is not None for note in ear.notes)


@given(performances, st.integers(0, 60))
def test_forgetting_drops_the_past_and_nothing_else(performance: list[tuple[int, bytes]], forget_at: int) -> None:
    forgetful, faithful = Ear(), Ear()
    now = cut = 0
    for index, (gap, message) in enumerate(performance):
        now += gap
        if index == forget_at:
            cut = now
            forgetful.forget_before(cut)
        assert (forgetful.hear(message, now) is None) == (faithful.hear(message, now) is None)
        assert forgetful.keys_down == faithful.keys_down
    forgetful.flush(now)
    faithful.flush(now)
    present = [note for note in faithful.notes if note.start_ticks >= cut or (note.end_ticks or 0) > cut]
    allowed = [note for note in faithful.notes if note.start_ticks >= cut or (note.end_ticks or 0) >= cut]
    assert set(present) <= set(forgetful.notes) <= set(allowed)
