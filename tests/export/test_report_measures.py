"""The report's measures, each on phrases whose key, pulse and form are known because they were written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.note_rows import NoteRows
from antiphon_export.report import harmony, pulse, texture, tonality
from antiphon_export.report.events import figures, onsets_of, top_line
from antiphon_export.report.tonality import Key

C_MAJOR, A_MINOR = Key(0, minor=False), Key(9, minor=True)
TUNE = (60, 64, 67, 65, 62, 65, 64, 60)


def line(pitches: tuple[int, ...] | list[int], step: int = 240, length: int = 200, velocity: int = 80) -> NoteRows:
    return np.array([[step * i, pitch, length, velocity] for i, pitch in enumerate(pitches)], dtype=np.int64)


def together(*rows: tuple[int, int, int]) -> NoteRows:
    """Notes as onset, pitch, length."""
    return np.array(sorted((onset, pitch, length, 80) for onset, pitch, length in rows), dtype=np.int64)


def strewn(count: int, seed: int) -> NoteRows:
    random = np.random.default_rng(seed)
    onsets = np.sort(random.choice(7680, count, replace=False))
    return np.column_stack([onsets, random.integers(48, 84, count), np.full(count, 100), np.full(count, 80)])


# ---- events ----------------------------------------------------------------------------------------------------------


def test_the_fingers_of_a_chord_are_one_event_and_its_top_is_the_tune() -> None:
    rows = together((0, 48, 400), (12, 60, 400), (25, 64, 400), (480, 55, 400), (490, 62, 400))
    assert onsets_of(rows).tolist() == [0, 480]
    assert top_line(rows).tolist() == [64, 62]


@given(st.integers(-20, 20), st.sampled_from([120, 160, 240, 480]))
def test_a_figure_is_itself_in_any_key_and_at_any_tempo(semitones: int, step: int) -> None:
    assert figures(line(TUNE)) == figures(line([pitch + semitones for pitch in TUNE], step))


def test_a_note_repeated_is_no_figure() -> None:
    assert figures(line([60] * 8)) == []


# ---- key -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_cadence_is_found_in_all_twelve(tonic: int) -> None:
    major = [60 + tonic + step for step in (0, 4, 7, 5, 9, 0, 7, 11, 2, 0, 4, 0)]
    minor = [60 + tonic + step for step in (0, 3, 7, 5, 8, 0, 7, 11, 2, 0, 3, 0)]
    assert tonality.find_key(line(major)) == Key(tonic, minor=False)
    assert tonality.find_key(line(minor)) == Key(tonic, minor=True)


def test_two_pitch_classes_tell_no_key() -> None:
    assert tonality.find_key(line([60, 67, 72, 79])) is None


def test_notes_in_the_key_are_counted() -> None:
    assert tonality.share_in_key(line([60, 62, 64, 66]), C_MAJOR) == pytest.approx(3 / 4)
    assert tonality.share_in_key(line([69, 71, 72, 80, 79]), A_MINOR) == 1, "both sevenths belong to minor"
    chance = tonality.share_in_key(strewn(3000, 1), C_MAJOR)
    assert chance == pytest.approx(7 / 12, abs=0.05)


def test_pitch_classes_are_shared_whatever_the_octave() -> None:
    assert tonality.pitch_class_overlap(line([60, 64]), line([72, 76])) == 1
    assert tonality.pitch_class_overlap(line([60, 64]), line([60, 61])) == pytest.approx(0.5)
    assert tonality.pitch_class_overlap(line([60]), line([61])) == 0
    assert np.isnan(tonality.pitch_class_overlap(line([60]), line([])[:0].reshape(0, 4)))


def test_a_second_clashes_if_it_sounds_and_not_if_it_is_over() -> None:
    assert tonality.clashes(together((0, 60, 240), (0, 61, 240), (480, 64, 240), (480, 67, 240))) == 0.5
    assert tonality.clashes(together((0, 60, 900), (480, 62, 240))) == 0.5, "held into the next"
    assert tonality.clashes(together((0, 60, 400), (480, 62, 240))) == 0
    assert tonality.clashes(together((0, 60, 240), (0, 73, 240))) == 1, "a minor ninth"
    assert tonality.clashes(together((0, 60, 240), (0, 72, 240))) == 0


def test_an_ending_is_stable_on_the_tonic_triad() -> None:
    assert tonality.last_in_tonic_triad(line([62, 64]), C_MAJOR) == 1
    assert tonality.last_in_tonic_triad(line([64, 62]), C_MAJOR) == 0
    assert tonality.last_bass_on_tonic(together((0, 48, 2000), (480, 64, 200)), C_MAJOR) == 1
    assert tonality.last_bass_on_tonic(together((0, 48, 200), (480, 64, 200)), C_MAJOR) == 0


# ---- pulse -----------------------------------------------------------------------------------------------------------


@given(st.integers(110, 600), st.integers(0, 500))
def test_an_even_pulse_is_found_wherever_it_begins(period: int, first: int) -> None:
    onsets = first + period * np.arange(20)
    found = pulse.find_pulse(onsets)
    assert found is not None
    assert found.period_ticks == pytest.approx(period, rel=0.005)
    assert pulse.strength(onsets + 20 * period, found) > 0.9, "and still fits as many beats later"


def test_a_pulse_is_found_under_20_ms_of_human_noise() -> None:
    random = np.random.default_rng(3)
    onsets = 240 * np.arange(32) + random.integers(-19, 20, 32)
    found = pulse.find_pulse(onsets)
    assert found is not None
    assert found.period_ticks == pytest.approx(240, rel=0.01)


def test_onsets_at_random_have_no_pulse() -> None:
    found = [pulse.find_pulse(onsets_of(strewn(30, seed))) for seed in range(50)]
    assert sum(one is not None for one in found) <= 5


def test_strength_and_grid_tell_on_from_between_and_from_chance() -> None:
    beat = pulse.PulseGrid(240.0, 0.0, 1.0)
    on, between = 240 * np.arange(8), 240 * np.arange(8) + 120
    assert pulse.strength(on, beat) == pytest.approx(1)
    assert pulse.strength(between, beat) == pytest.approx(-1)
    assert (pulse.share_near(on, beat), pulse.share_near(between, beat)) == (1, 0)
    many = np.sort(np.random.default_rng(2).integers(0, 1_000_000, 4000))
    assert pulse.strength(many, beat) == pytest.approx(0, abs=0.05)
    assert pulse.share_near(many, beat) == pytest.approx(1 / 3, abs=0.03)


def test_half_and_double_time_keep_the_pulse_and_another_tempo_does_not() -> None:
    beat = pulse.PulseGrid(240.0, 0.0, 1.0)
    assert [pulse.same_period(period * np.arange(20), beat) for period in (120, 240, 480)] == [1, 1, 1]
    assert [pulse.same_period(period * np.arange(20), beat) for period in (200, 280)] == [0, 0]


def test_coherence_with_eighths_is_1_for_eighths_and_small_at_random() -> None:
    assert pulse.coherence(240 * np.arange(32), 240) == pytest.approx(1)
    assert pulse.coherence(120 * np.arange(32), 240) == pytest.approx(0, abs=1e-9), "sixteenths lie between, too"
    found = [pulse.coherence(onsets_of(strewn(24, seed)), 240) for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.89 / np.sqrt(24), abs=0.03)


def test_the_same_groove_is_alike_and_its_opposite_is_not() -> None:
    sixteenth = pulse.PulseGrid(120.0, 0.0, 1.0)
    clave = np.array([0, 3, 6, 10, 12])
    bars = np.concatenate([120 * (clave + 16 * bar) for bar in range(4)])
    others = np.concatenate([120 * (np.array([1, 4, 8, 11, 15]) + 16 * bar) for bar in range(4)])
    assert pulse.groove_likeness(bars, bars + 4 * 1920, sixteenth) == pytest.approx(1)
    assert pulse.groove_likeness(bars, others, sixteenth) == 0


def test_rhythms_are_alike_by_their_gaps() -> None:
    even, dotted = 240 * np.arange(9), np.cumsum([0, *[360, 120] * 4])
    assert pulse.rhythm_likeness(even, even + 55) == 1
    assert pulse.rhythm_likeness(even, dotted) == 0
    assert pulse.gap_entropy(even) == 0
    assert pulse.gap_entropy(dotted) == pytest.approx(1), "two gaps, as often: one bit"


# ---- texture and form ------------------------------------------------------------------------------------------------


def test_texture_says_what_it_is_named_for() -> None:
    chords = together(*[(960 * i, pitch + 2 * i, 480) for i in range(4) for pitch in (60, 64)])
    assert texture.onsets_a_beat(chords, 3840) == 0.5
    assert texture.notes_an_onset(chords) == 2
    assert texture.length_beats(chords) == 1
    assert texture.leap_semitones(chords) == 2
    assert texture.share_of_steps(chords) == 1
    assert texture.share_of_steps(line([60, 60, 62, 69])) == 0.5, "a repeated note is no move"
    assert texture.velocity_above(line([60], velocity=90), line([60], velocity=70)) == 20
    assert texture.velocity_deviation(line([60, 62])) == 0


def test_notes_under_60_ms_are_clicks() -> None:
    lengths = np.array([[0, 60, 57, 80], [480, 60, 58, 80]])
    assert texture.share_of_short(lengths) == 0.5


def test_a_motif_returns_on_another_degree() -> None:
    again = line([pitch + 5 for pitch in TUNE])
    assert texture.motif_recurrence(again, line(TUNE)) == 1
    assert texture.motif_recurrence(line([60, 59, 72, 71, 84, 83]), line([60, 62, 64, 65, 67, 69])) == 0


def test_repetition_is_what_came_before_in_the_phrase() -> None:
    assert texture.repetition(line(TUNE)) < 0.3 < 0.6 < texture.repetition(line([*TUNE] * 4))


def test_a_close_rests_and_thins_out() -> None:
    onward = line([60] * 32)
    closing = onward[:25]
    assert texture.rest_at_end_beats(onward, 7680) == 0.5
    assert texture.rest_at_end_beats(closing, 7680) == 4
    assert texture.last_bar_density(onward, 0, 7680, 1920) == 1
    assert texture.last_bar_density(closing, 0, 7680, 1920) < 0.2


# ---- harmony ---------------------------------------------------------------------------------------------------------


def chord(start: int, length: int, *pitches: int) -> list[tuple[int, int, int]]:
    return [(start, pitch, length) for pitch in pitches]


def test_triads_are_named_and_silence_is_none() -> None:
    rows = together(*chord(0, 960, 48, 64, 67), *chord(960, 960, 57, 60, 64))
    assert harmony.chords(rows, 0, 2880, 960).tolist() == [0, 12 + 9, harmony.NO_CHORD]
    assert harmony.chord_classes(12 + 9) == {9, 0, 4}
    assert not harmony.chord_classes(harmony.NO_CHORD)


def test_strong_notes_belong_to_the_chord_under_them_or_not() -> None:
    under = together(*chord(0, 1920, 48, 52, 55))
    melody = np.array([[0, 76, 480, 80], [480, 74, 480, 80], [960, 73, 120, 80]])
    assert harmony.chord_tones_under(melody, under) == 0.5, "the short one is not strong"
    assert harmony.chord_tones_under(melody, under[:0]) == 0
    assert np.isnan(harmony.chord_tones_under(melody[2:], under))


def test_agreement_and_delay_are_counted_from_the_other_ones_chords() -> None:
    pianist = together(*chord(0, 1920, 48, 52, 55), *chord(1920, 1920, 53, 57, 60))
    late = together(*chord(0, 2880, 48, 52, 55), *chord(2880, 960, 53, 57, 60))
    never = together(*chord(0, 3840, 48, 52, 55))
    assert harmony.chord_agreement(pianist, pianist, 0, 3840) == 1
    assert harmony.chord_agreement(late, pianist, 0, 3840) == 0.75
    assert harmony.change_delay_beats(pianist, pianist, 0, 3840) == 0
    assert harmony.change_delay_beats(late, pianist, 0, 3840) == 2
    assert harmony.change_delay_beats(never, pianist, 0, 3840) == harmony.MOST_BEATS
    assert np.isnan(harmony.change_delay_beats(pianist, never, 0, 3840))
