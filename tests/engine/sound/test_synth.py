"""The electric piano, listened to with numbers: pitch, loudness, brightness, decay, and the absence of clicks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from antiphon.music.messages import NOTE_ON, PITCH_BEND, control_change, note_off, note_on, program_change
from antiphon.sound.synth import POLYPHONY, ElectricPiano, limit

RATE = 48_000
BASS_CHORD = (36, 43, 48, 52)
"""Keys so low that their own waves hold next to nothing at the frequencies of a click."""


def played(*messages: bytes, seconds: float = 0.5, piano: ElectricPiano | None = None) -> NDArray[np.float32]:
    """Both sides, shape (frames, 2), from the moment of `messages` on."""
    piano = piano or ElectricPiano(RATE)
    for message in messages:
        piano.handle(message)
    return piano.render(round(seconds * RATE))


def loudness(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def spectrum(samples: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies in hertz, and power, of both sides together."""
    mono = samples.mean(axis=1) * np.hanning(len(samples))
    return np.fft.rfftfreq(8 * len(mono), 1 / RATE), np.abs(np.fft.rfft(mono, 8 * len(mono))) ** 2


def frequency(samples: NDArray[np.float32]) -> float:
    """Of the strongest partial, in hertz."""
    hertz, power = spectrum(samples)
    return float(hertz[power.argmax()])


def brightness(samples: NDArray[np.float32]) -> float:
    """Centre of gravity of the spectrum, in hertz."""
    hertz, power = spectrum(samples)
    return float((hertz * power).sum() / power.sum())


def edge(samples: NDArray[np.float32]) -> float:
    """How much of a click there is in the worst 5 ms: the third difference, which low notes have none of."""
    third = np.diff(samples.astype(np.float64), 3, axis=0)
    return max(loudness(third[start : start + 240]) for start in range(0, len(third) - 240, 120))


@pytest.mark.parametrize(("pitch", "hertz"), [(45, 110.0), (60, 261.626), (69, 440.0), (81, 880.0), (105, 3520.0)])
def test_notes_are_in_tune(pitch: int, hertz: float) -> None:
    heard = frequency(played(note_on(0, pitch, 90), seconds=1.0))
    assert abs(1200 * np.log2(heard / hertz)) < 1.0


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("pitch", [36, 60, 76])
def test_a_harder_stroke_is_louder_and_brighter(channel: int, pitch: int) -> None:
    notes = [played(note_on(channel, pitch, velocity)) for velocity in (20, 50, 80, 110, 127)]
    for softer, harder in pairwise(notes):
        assert loudness(harder) > 1.15 * loudness(softer)
        assert brightness(harder) > brightness(softer)


def test_high_notes_die_away_faster_than_low_ones() -> None:
    def fall(pitch: int) -> float:
        note = played(note_on(0, pitch, 90), seconds=2.0)
        return 20 * np.log10(loudness(note[:RATE]) / loudness(note[RATE:]))

    falls = [fall(pitch) for pitch in (40, 60, 76, 96)]
    assert falls == sorted(falls)
    # Middle C falls by 60 dB in 7 s.
    assert falls[1] == pytest.approx(60 / 7, abs=1.0)


def test_a_held_note_dies_away_in_the_end() -> None:
    piano = ElectricPiano(RATE)
    played(note_on(0, 60, 100), seconds=12.0, piano=piano)
    assert piano.sounding == 0


def test_a_released_note_falls_silent_and_gives_up_its_voice() -> None:
    piano = ElectricPiano(RATE)
    played(note_on(0, 60, 100), piano=piano)
    # A note-on of velocity 0 is a note-off.
    released = played(bytes((NOTE_ON, 60, 0)), seconds=1.0, piano=piano)
    assert loudness(released[:2400]) > 100 * loudness(released[RATE // 2 :])
    assert piano.sounding == 0
    assert not piano.render(256).any()


def test_the_sustain_pedal_holds_a_note() -> None:
    piano = ElectricPiano(RATE)
    played(note_on(0, 60, 100), control_change(0, 64, 127), note_off(0, 60), seconds=1.0, piano=piano)
    assert loudness(piano.render(4800)) > 0.005
    played(control_change(0, 64, 0), seconds=1.0, piano=piano)
    assert piano.sounding == 0


def test_the_soft_pedal_makes_new_notes_softer_and_duller() -> None:
    plain = played(note_on(0, 48, 100))
    soft = played(control_change(0, 67, 127), note_on(0, 48, 100))
    assert loudness(soft) < 0.8 * loudness(plain)
    assert brightness(soft) < brightness(plain)


@pytest.mark.parametrize("controller", [120, 123])
def test_channel_mode_messages_silence_their_own_channel_only(controller: int) -> None:
    piano = ElectricPiano(RATE)
    played(note_on(0, 60, 100), note_on(1, 60, 100), piano=piano)
    played(control_change(0, controller, 0), seconds=1.0, piano=piano)
    assert piano.sounding == 1


def test_all_sound_off_is_done_within_30_milliseconds_whatever_the_pedal_holds() -> None:
    piano = ElectricPiano(RATE)
    played(control_change(0, 64, 127), *(note_on(0, pitch, 127) for pitch in BASS_CHORD), piano=piano)
    played(control_change(0, 120, 0), seconds=0.03, piano=piano)
    assert piano.sounding == 0


def test_reset_all_controllers_frees_pedals_and_bend_but_not_the_volume() -> None:
    piano = ElectricPiano(RATE)
    messages = (
        control_change(0, 7, 50),
        control_change(0, 11, 30),
        control_change(0, 67, 127),
        control_change(0, 64, 127),
    )
    played(*messages, note_on(0, 69, 100), bytes((PITCH_BEND, 0, 127)), note_off(0, 69), piano=piano)
    played(control_change(0, 121, 0), seconds=1.0, piano=piano)
    assert piano.sounding == 0
    again = played(note_on(0, 69, 100), piano=piano)
    assert frequency(again) == pytest.approx(440.0, abs=0.5)
    assert loudness(again) == pytest.approx(loudness(played(note_on(0, 69, 100))) * (50 / 100) ** 2, rel=0.05)


@pytest.mark.parametrize(("low", "high", "semitones"), [(0, 64, 0.0), (0, 127, 1.984), (0, 0, -2.0)])
def test_pitch_bend_goes_two_semitones_either_way(low: int, high: int, semitones: float) -> None:
    bent = played(note_on(0, 69, 90), bytes((PITCH_BEND, low, high)), seconds=1.0)
    assert 12 * np.log2(frequency(bent) / 440.0) == pytest.approx(semitones, abs=0.02)


def test_a_bend_reaches_later_notes_of_its_channel_and_no_other() -> None:
    bend = bytes((PITCH_BEND, 0, 0))
    assert frequency(played(bend, note_on(0, 69, 90))) == pytest.approx(392.0, abs=0.5)
    assert frequency(played(bend, note_on(1, 69, 90))) == pytest.approx(440.0, abs=0.5)


@pytest.mark.parametrize("controller", [7, 11])
def test_volume_and_expression_follow_the_square_law(controller: int) -> None:
    full = played(control_change(0, controller, 100), note_on(0, 60, 90))[4800:]
    half = played(control_change(0, controller, 50), note_on(0, 60, 90))[4800:]
    assert loudness(half) == pytest.approx(loudness(full) / 4, rel=0.01)


def test_player_and_answer_are_told_apart_by_place_and_colour() -> None:
    player, answer = played(note_on(0, 60, 90)), played(note_on(1, 60, 90))
    assert loudness(player[:, 0]) > 1.2 * loudness(player[:, 1])
    assert loudness(answer[:, 1]) > 1.2 * loudness(answer[:, 0])
    assert not np.allclose(spectrum(player)[1], spectrum(answer)[1], rtol=0.1)
    assert 0.7 < loudness(answer) / loudness(player) < 1.4


CLICK_FREE = {
    "note off": [note_off(0, pitch) for pitch in BASS_CHORD],
    "all sound off": [control_change(0, 120, 0)],
    "volume to nothing": [control_change(0, 7, 0)],
    "expression down": [control_change(0, 11, 40)],
    "the same key again": [note_on(0, 36, 60)],
    "another soft note": [note_on(0, 40, 30)],
    "bend": [bytes((PITCH_BEND, 0, 127))],
}


@pytest.mark.parametrize("name", CLICK_FREE)
def test_nothing_clicks(name: str) -> None:
    piano = ElectricPiano(RATE)
    before = played(*(note_on(0, pitch, 110) for pitch in BASS_CHORD), piano=piano, seconds=0.4)[RATE // 5 :]
    after = played(*CLICK_FREE[name], piano=piano, seconds=0.2)
    joined = np.concatenate([before, after])
    assert edge(joined) < 1.5 * edge(before)


def test_the_click_detector_hears_a_note_cut_short() -> None:
    before = played(*(note_on(0, pitch, 110) for pitch in BASS_CHORD), seconds=0.4)[RATE // 5 :]
    cut = before.copy()
    cut[9000:] = 0.0
    assert edge(cut) > 10 * edge(before)


def test_one_note_too_many_takes_the_place_of_the_quietest_without_a_click() -> None:
    piano = ElectricPiano(RATE)
    chord = [note_on(0, 30 + index, 20 if index == 7 else 60) for index in range(POLYPHONY)]
    before = played(*chord, piano=piano)[RATE // 4 :]
    after = played(note_on(1, 72, 10), piano=piano)
    assert piano.sounding == POLYPHONY
    assert edge(np.concatenate([before, after])) < 1.5 * edge(before)
    # The key that lost its voice has nothing left to release; the others have.
    held = [note_off(0, 30 + index) for index in range(POLYPHONY) if index != 7]
    played(*held, piano=piano, seconds=1.0)
    assert piano.sounding == 1


@pytest.mark.parametrize("count", [POLYPHONY + 1, 128])
def test_never_more_than_the_polyphony_goes_on_sounding(count: int) -> None:
    piano = ElectricPiano(RATE)
    played(*(note_on(index % 16, 20 + index % 80, 127) for index in range(count)), seconds=0.1, piano=piano)
    assert 0 < piano.sounding <= POLYPHONY


def test_the_loudest_thing_that_can_be_played_stays_within_bounds() -> None:
    messages = [control_change(channel, 7, 127) for channel in range(16)]
    messages += [note_on(pitch % 16, pitch, 127) for pitch in range(128)]
    assert 0.9 < np.abs(played(*messages)).max() <= 1.0


def test_ten_loud_notes_are_not_touched_by_the_limiter() -> None:
    chord = [note_on(0, pitch, 100) for pitch in (36, 43, 48, 52, 55, 60, 64, 67, 72, 76)]
    assert np.abs(played(*chord)).max() < 0.8


def test_the_limiter_leaves_quiet_samples_alone_and_never_turns_a_wave_back() -> None:
    rising = np.linspace(-3.0, 3.0, 6001, dtype=np.float32)
    limited = limit(rising)
    quiet = np.abs(rising) <= 0.8
    assert np.array_equal(limited[quiet], rising[quiet])
    assert (np.diff(limited) >= 0).all()
    assert np.abs(limited).max() <= 1.0


def test_messages_that_mean_nothing_to_it_change_nothing() -> None:
    strange = (
        b"",
        bytes((0xF8,)),
        bytes((0xF2, 1, 1)),
        program_change(0, 5),
        bytes((0xA0, 60, 3)),
        bytes((0xD0, 3)),
        b"\x90\x3c",
    )
    plain = played(note_on(0, 60, 90))
    assert np.array_equal(played(*strange, note_on(0, 60, 90), *strange), plain)


def test_the_sample_rate_changes_neither_pitch_nor_decay() -> None:
    piano = ElectricPiano(96_000)
    piano.handle(note_on(0, 69, 90))
    fast = piano.render(96_000)[::2]
    slow = played(note_on(0, 69, 90), seconds=1.0)
    assert frequency(fast) == pytest.approx(440.0, abs=0.5)
    assert loudness(fast[RATE // 2 :]) == pytest.approx(loudness(slow[RATE // 2 :]), rel=0.02)


messages_strategy = st.one_of(
    st.builds(note_on, st.integers(0, 15), st.integers(0, 127), st.integers(1, 127)),
    st.builds(note_off, st.integers(0, 15), st.integers(0, 127)),
    st.builds(
        control_change, st.integers(0, 15), st.sampled_from((7, 11, 64, 66, 67, 120, 121, 123)), st.integers(0, 127)
    ),
    st.builds(lambda channel, value: bytes((PITCH_BEND | channel, 0, value)), st.integers(0, 15), st.integers(0, 127)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(messages_strategy, st.integers(0, 700)), max_size=40), st.integers(1, 300))
def test_blocks_cut_in_any_way_join_to_the_same_sound(performance: list[tuple[bytes, int]], cut: int) -> None:
    whole, pieces = ElectricPiano(RATE), ElectricPiano(RATE)
    for message, frames in performance:
        whole.handle(message)
        pieces.handle(message)
        expected = whole.render(frames)
        heard = [pieces.render(min(cut, frames - start)) for start in range(0, frames, cut)]
        assert np.abs(expected).max(initial=0.0) <= 1.0
        assert np.allclose(np.concatenate([np.zeros((0, 2)), *heard]), expected, atol=2e-4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(messages_strategy, st.integers(0, 300)), max_size=60))
def test_the_same_messages_give_the_same_samples_and_all_falls_silent(performance: list[tuple[bytes, int]]) -> None:
    first, second = ElectricPiano(RATE), ElectricPiano(RATE)
    for message, frames in performance:
        first.handle(message)
        second.handle(message)
        assert np.array_equal(first.render(frames), second.render(frames))
    for channel in range(16):
        first.handle(control_change(channel, 120, 0))
    first.render(RATE // 10)
    assert first.sounding == 0
    assert not first.render(512).any()


def test_channel_10_is_a_wood_block_that_is_gone_before_the_next_beat() -> None:
    piano = ElectricPiano(RATE)
    knock = played(note_on(9, 77, 100), seconds=0.12, piano=piano)
    energy = np.cumsum((knock.astype(np.float64) ** 2).sum(axis=1))
    assert np.searchsorted(energy, 0.9 * energy[-1]) < 0.02 * RATE
    assert np.abs(knock[: round(0.003 * RATE)]).max() == np.abs(knock).max(), "its attack is its loudest part"
    played(seconds=0.1, piano=piano)
    assert piano.sounding == 0


def test_the_high_wood_block_of_general_midi_is_a_fifth_above_the_low_one_whose_key_is_higher() -> None:
    high, low = (frequency(played(note_on(9, pitch, 100))) for pitch in (76, 77))
    assert 12 * np.log2(high / low) == pytest.approx(7, abs=0.1)


def test_a_click_is_heard_over_a_chord() -> None:
    chord = [note_on(0, pitch, 80) for pitch in (48, 60, 64, 67)]
    click = played(note_on(9, 76, 100), seconds=0.05)
    assert 0.5 < np.abs(click).max() / np.abs(played(*chord, seconds=0.5)).max() < 1.5


def test_a_block_has_one_pitch_whatever_is_bent_or_reset() -> None:
    piano = ElectricPiano(RATE)
    played(note_on(9, 76, 100), seconds=0.01, piano=piano)
    bent = played(bytes((PITCH_BEND | 9, 0, 127)), control_change(9, 121, 0), seconds=0.1, piano=piano)
    assert frequency(bent) == pytest.approx(1760.0, abs=10)
