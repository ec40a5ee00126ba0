"""Where the report's calls come from, what an answer has to do with its call, and what "as good as real" means."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.music.note_rows import rows_of
from antiphon.notes import Note, Phrase
from antiphon.plugins.host import load_plugins
from antiphon_export.midi_folder import Corpus
from antiphon_export.report import plain_calls as plain
from antiphon_export.report.excerpts import displacement, endings, excerpts
from antiphon_export.report.musician import BAR_TICKS, find_musician
from antiphon_export.report.pulse import find_pulse
from antiphon_export.report.sense import (
    beat_ticks_at,
    eighth_coherence,
    eighths,
    moved_beat,
    noise_ticks,
    random_coherence,
    same_answers,
)
from antiphon_export.report.songs import songs
from antiphon_export.report.spread import distance, half_spread, mean
from antiphon_export.report.statistics import STATISTICS, HeardCall, measured
from antiphon_export.report.tonality import find_key
from antiphon_export.training.pieces import Piece

PLAIN = {call.name: call for call in plain.plain_calls()}


def music(notes: int, seed: int, step: int = 240) -> np.ndarray:
    pitches = np.random.default_rng(seed).integers(48, 84, notes)
    return np.column_stack([step * np.arange(notes), pitches, np.full(notes, step), np.full(notes, 80)])


def piece(seed: int, notes: int = 400) -> Piece:
    return Piece(str(seed), (music(notes, seed),), np.arange(0, 240 * notes, BAR_TICKS))


# ---- excerpts --------------------------------------------------------------------------------------------------------


def test_an_excerpt_begins_at_a_bar_and_goes_on_as_the_piece_does() -> None:
    whole = piece(7)
    (excerpt,) = excerpts([whole], 1)
    assert (excerpt.call.start_ticks, excerpt.call.end_ticks) == (0, 7680)
    pitches = [note.pitch for phrase in (excerpt.call, excerpt.continuation) for note in phrase.notes]
    known = whole.parts[0][:, 1].tolist()
    assert any(known[start : start + 64] == pitches for start in range(0, 400, 8))


def test_few_pieces_give_further_excerpts_that_do_not_overlap() -> None:
    found = excerpts([piece(1), piece(2, 80)], 50)
    assert [excerpt.piece for excerpt in found[:2]] == [0, 1], "first the middle of every piece"
    calls = [tuple(note.pitch for note in excerpt.call.notes) for excerpt in found]
    assert len(set(calls)) == len(calls) > 2


def test_an_ending_is_the_last_bars_of_a_piece() -> None:
    on_grid, played = piece(3), Piece("played", (music(401, 3, step=230),))
    (by_bars, in_time) = endings([on_grid, played])
    assert by_bars.continuation.notes[-1].pitch == on_grid.parts[0][-1, 1]
    assert by_bars.continuation.end_ticks - by_bars.continuation.notes[-1].start_ticks == 240
    assert in_time.continuation.notes[-1].end_ticks == in_time.continuation.end_ticks


@pytest.mark.parametrize("late", [-40, 0, 25, 55])
def test_a_piece_beside_its_files_beats_is_put_on_them(late: int) -> None:
    assert displacement(120 * np.arange(4, 40) + late) == pytest.approx(late, abs=1)
    assert displacement(np.sort(np.random.default_rng(0).integers(0, 7680, 200))) == 0, "no lattice, nothing to move"
    rows = music(400, 5) + np.array([late + 480, 0, 0, 0])
    (excerpt,) = excerpts([Piece("late", (rows,), np.arange(0, 240 * 403, BAR_TICKS))], 1)
    assert {note.start_ticks % 240 for note in excerpt.call.notes} == {0}


def test_statistics_tell_a_piece_from_another_in_another_key_and_tempo() -> None:
    scale = (60, 64, 67, 65, 62, 65, 64, 60)
    call = Phrase.of([Note(240 * i, scale[i % 8], 200, 80) for i in range(32)], 0, 7680)
    on = Phrase.of([Note(7680 + 240 * i, scale[i % 8], 200, 80) for i in range(32)], 7680, 15360)
    off = Phrase.of([Note(7680 + 287 * i, scale[i % 8] + 6, 200, 80) for i in range(26)], 7680, 15360)
    names = [statistic.name for statistic in STATISTICS]
    same, other = (dict(zip(names, measured(HeardCall.of(call), phrase), strict=True)) for phrase in (on, off))
    for name in ("in the key", "pitch classes shared", "near the grid", "same pulse", "groove alike", "motif returns"):
        assert same[name] == pytest.approx(1)
    assert other["in the key"] < 0.5
    assert abs(other["strength at the pulse"]) < 0.5
    assert (other["same pulse"], other["rhythm alike"]) == (0, 0)
    assert np.isnan(measured(HeardCall.of(call), Phrase(7680, 15360))).all(), "of silence nothing is measured"


def test_nothing_is_asked_of_a_pulse_that_the_call_does_not_have() -> None:
    onsets = np.sort(np.random.default_rng(4).choice(7680, 40, replace=False))
    free = Phrase.of([Note(int(onset), 60 + int(onset) % 12, 90, 80) for onset in onsets], 0, 7680)
    assert find_pulse(onsets) is None
    values = dict(zip([s.name for s in STATISTICS], measured(HeardCall.of(free), free), strict=True))
    assert np.isnan(values["near the grid"])
    assert not np.isnan(values["rhythm alike"])


# ---- spread ----------------------------------------------------------------------------------------------------------


def test_the_spread_is_what_two_halves_of_even_noise_differ_by() -> None:
    values = np.random.default_rng(1).normal(5, 1, 100)
    found = half_spread(values, np.arange(100), np.random.default_rng(0))
    # The difference of two means of 50 has a deviation of 0.2; 90 % lie within 1.645 of those.
    assert found == pytest.approx(1.645 * 0.2 * values.std(), rel=0.1)
    assert distance(5.0 + found, 5.0, found) == pytest.approx(1)


def test_excerpts_of_one_piece_stay_in_one_half() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=10), 10)
    apart = half_spread(values, np.arange(100), np.random.default_rng(0))
    together = half_spread(values, np.repeat(np.arange(10), 10), np.random.default_rng(0))
    assert together > 2 * apart, "ten pieces know less than a hundred"


def test_what_never_failed_may_still_fail_sometimes() -> None:
    assert half_spread(np.ones(50), np.arange(50), np.random.default_rng(0)) == pytest.approx(3 / 50)
    assert np.isnan(half_spread(np.ones(8), np.arange(8), np.random.default_rng(0))), "too few to tell"
    assert np.isnan(distance(1.0, 1.0, 0.0))
    assert np.isnan(mean(np.full(3, np.nan)))


# ---- plain calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("to_the_beat", [True, False])
def test_a_plain_call_is_in_its_own_key_and_time(call: plain.PlainCall, to_the_beat: bool) -> None:
    beat = beat_ticks_at(plain.PLAIN_BPM, to_the_beat=to_the_beat)
    phrase = call.at(beat)
    found = plain.score(call, rows_of(phrase.notes), 0, phrase.end_ticks, beat)
    assert (found.in_key, found.in_time) == (1, 1)
    assert found.swing_kept == 1 if call.parts_of_beat == 3 else np.isnan(found.swing_kept)
    if call.name not in ("a blues lick with a breath", "I vi IV V in quarters"):
        assert find_key(rows_of(phrase.notes)) == call.key


def test_the_breath_in_the_lick_lasts_one_and_a_half_beats() -> None:
    notes = PLAIN["a blues lick with a breath"].at(480).notes
    rests = [after.start_ticks - (note.end_ticks or 0) for note, after in pairwise(notes)]
    assert max(rests) == pytest.approx(720, abs=20)


def test_straight_eighths_do_not_swing_and_random_onsets_are_by_chance_in_time() -> None:
    assert plain.swing_kept(240 * np.arange(16), 480) == 0
    assert plain.swing_kept(np.array([0, 320, 480, 800]), 480) == 1
    assert np.isnan(plain.swing_kept(480 * np.arange(8), 480))
    strewn = np.random.default_rng(0).integers(0, 1_000_000, 5000)
    # 40 ms on either side of sixteenths of 167 ms
    assert plain.share_on_grid(strewn, 120, 0.04 * 720) == pytest.approx(0.48, abs=0.03)


def test_scores_average_over_what_could_be_told() -> None:
    nan = float("nan")
    found = plain.mean_score([plain.PlainScore(1, 0.5, nan, 1, 0), plain.PlainScore(0.5, 0.5, nan, nan, 1)])
    assert (found.in_key, found.in_time, found.ends_at_rest, found.ends_in_triad) == (0.75, 0.5, 1, 0.5)
    assert np.isnan(found.swing_kept)


# ---- sense -----------------------------------------------------------------------------------------------------------


@given(st.integers(-6, 5), st.sampled_from([480, 576]))
def test_even_eighths_are_coherent_also_under_human_noise(semitones: int, beat: int) -> None:
    assert eighth_coherence(eighths(beat, semitones), beat) == pytest.approx(1)
    noisy = eighths(beat, semitones, noise_ticks(beat), np.random.default_rng(1))
    assert 0.9 < eighth_coherence(noisy, beat) < 1


def test_random_onsets_have_the_coherence_of_chance() -> None:
    assert random_coherence([24] * 20, np.random.default_rng(0)) == pytest.approx(0.18, abs=0.01)
    assert noise_ticks(576) == 19, "20 ms where a tick is 1/960 s"


def test_one_answer_for_all_calls_is_found_out() -> None:
    answer, other = (Phrase.of([Note(240 * i, pitch + i, 200, 80) for i in range(16)]) for pitch in (60, 61))
    scale, chord, blues = (PLAIN[name].at(480) for name in ("a scale", "I vi IV V in quarters", "a minor tune"))
    assert same_answers([(1, scale, answer), (1, chord, other), (2, blues, answer), (1, scale, answer)]) == 0
    assert same_answers([(1, scale, answer), (1, chord, other), (1, blues, answer.shifted(960))]) == 2


def test_a_model_that_knows_the_beat_pays_for_one_that_is_moved() -> None:
    def expects_eighths(windows: np.ndarray) -> np.ndarray:
        """One nat for each token of a place in the bar (1 to 32) that is no eighth."""
        place = windows[:, 1:] - 1
        return ((place >= 0) & (place < 32) & (place % 2 == 1)).astype(float)

    found = moved_beat(expects_eighths, [piece(1), Piece("played", (music(50, 1),))])
    assert found is not None
    assert (found.aligned, found.moved) == (0, pytest.approx(1, abs=0.01))
    assert found.difference > 0.9
    assert moved_beat(expects_eighths, []) is None


# ---- playing along ---------------------------------------------------------------------------------------------------


def write_song(path: Path, names: tuple[str, str]) -> None:
    file = mido.MidiFile(ticks_per_beat=480)
    for name, pitches, length in zip(names, ((72, 74, 76, 77), (48, 53)), (480, 960), strict=True):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        for index in range(64 * 480 // length):
            track.append(mido.Message("note_on", note=pitches[index % len(pitches)], velocity=80, time=0))
            track.append(mido.Message("note_off", note=pitches[index % len(pitches)], time=length))
        file.tracks.append(track)
    file.save(path)


def test_songs_are_files_with_a_melody_and_a_pianist(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", ("MELODY", "PIANO"))
    write_song(tmp_path / "b.mid", ("right", "left"))
    (tmp_path / "c.mid").write_bytes(b"no music")
    (tmp_path / "manifest.csv").write_text("file,split\na.mid,valid\nb.mid,valid\nc.mid,valid\n")
    (found,) = songs(Corpus(tmp_path), "valid", 5, to_the_beat=True)
    assert {note.pitch for note in found.melody.notes} == {72, 74, 76, 77}
    assert set(found.accompaniment[:, 1].tolist()) == {48, 53}
    assert songs(Corpus(tmp_path), "valid", 5, to_the_beat=False), "120 bpm is the session's own tempo"


def test_who_plays_along_knows_only_what_was_played_in_time() -> None:
    class Parrot:
        """Plays on each beat the last pitch that it knows; it notes what it was told."""

        def __init__(self) -> None:
            self.told: list[Phrase] = []

        def prime(self, heard: Phrase) -> None:
            self.told.append(heard)

        def extend(self, request: object) -> Phrase:
            start, end = request.start_ticks, request.end_ticks  # type: ignore[attr-defined]
            return Phrase.of([Note(start, 40, 240, 60)], start, end)

        def rewind(self, to_ticks: int) -> None: ...

    musician = find_musician(load_plugins(), "markov")
    parrot = Parrot()
    melody = Phrase.of([Note(480 * i, 60 + i, 400, 80) for i in range(8)], 0, 3840)
    played = musician.accompany(melody, parrot)
    assert [note.start_ticks for note in played.notes] == list(range(960, 3840, 480))
    for phrase in parrot.told:
        heard = [note for note in phrase.notes if note.pitch >= 60]
        assert all(note.start_ticks <= phrase.end_ticks - 240 - 144 for note in heard)
        assert sum(note.pitch == 40 for note in phrase.notes) == (phrase.end_ticks - 960) // 480
        assert all(note.end_ticks is None or note.end_ticks <= phrase.end_ticks - 384 for note in heard), "else held"
