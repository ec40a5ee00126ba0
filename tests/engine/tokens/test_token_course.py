"""A generator of tokens keeps to the key and the pulse it is told, and ends when the answer does."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_models import ToyModel

from antiphon.generator import Constraints, Request, check_phrase
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import Note, Phrase
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.generator import TokenGenerator

BAR = 1920
CODECS = ("performance", "grid")
HEARD = Phrase.of([Note(240 * n, pitch, 200, 80) for n, pitch in enumerate((62, 64, 66, 67, 69, 71, 73, 74))], 0, BAR)
D_MAJOR = Key(2, minor=False, scale=frozenset({2, 4, 6, 7, 9, 11, 1}))
SWUNG = Pulse(533.25, 17.5, (0.0, 0.64), (0.6, 0.4))
STRAIGHT = Pulse(400.0, 100.0)
CONTROLS = {"temperature": 1.0, "top_p": 0.95, "repetition": 0.5, "density": 0.5}


@lru_cache
def trained(codec: str) -> ToyModel:
    return ToyModel(codec_named(codec))


def answer(
    codec: str, *, bars: int = 4, seed: int = 0, stay: float = 1.0, ends: bool = True, cut: int = BAR, **told: object
) -> list[Note]:
    """What is played to `HEARD`, phrase by phrase of `cut` ticks; the end is told if it `ends`."""
    model = trained(codec).twin()
    player = TokenGenerator(seed, partial(codec_named, codec), model, tells_velocity=codec != "grid")
    player.prime(HEARD)
    notes: list[Note] = []
    start, end = BAR, BAR + bars * BAR
    while start < end:
        length = min(cut, end - start)
        asked = Request(start, length, CONTROLS | {"stay": stay}, Constraints(40, 90))
        if ends:
            asked = replace(asked, left_ticks=end - start, final=start + length == end)
        asked = replace(asked, **told)  # type: ignore[arg-type]  # by name
        notes += check_phrase(player.extend(asked), asked).notes
        start += length
    return notes


@pytest.mark.parametrize("pulse", [STRAIGHT, SWUNG], ids=["straight", "swung"])
def test_onsets_fall_on_the_places_of_the_pulse_or_right_after(pulse: Pulse) -> None:
    notes = [note for seed in range(4) for note in answer("performance", seed=seed, pulse=pulse, ends=False)]
    off = [note.start_ticks - pulse.nearest(note.start_ticks - 10) for note in notes]
    assert len(notes) > 60
    assert np.mean([-11 <= stray <= 40 for stray in off]) > 0.97


def test_without_firmness_and_an_end_nothing_is_changed() -> None:
    told = {"pulse": STRAIGHT, "key": D_MAJOR}
    for codec in CODECS:
        assert answer(codec, stay=0, ends=False, **told) == answer(codec, stay=0, ends=False)


def test_the_firmer_the_more_onsets_are_in_time() -> None:
    shares = []
    for stay in (0.0, 0.5, 1.0):
        notes = [n for seed in range(4) for n in answer("performance", seed=seed, stay=stay, pulse=SWUNG, ends=False)]
        shares.append(np.mean([abs(SWUNG.nearest(n.start_ticks - 10) - n.start_ticks + 10) < 30 for n in notes]))
    assert shares[0] < shares[1] < shares[2]


def test_a_pulse_makes_chords_no_thinner() -> None:
    def size(pulse: Pulse | None) -> float:
        notes = [n for seed in range(6) for n in answer("performance", seed=seed, pulse=pulse, ends=False)]
        onsets = sorted(n.start_ticks for n in notes)
        return len(notes) / (1 + sum(b - a > 40 for a, b in pairwise(onsets)))

    assert size(STRAIGHT) > 0.8 * size(None)  # The toy's notes are a stream without gaps: some of it is parted.


def test_no_note_is_a_blip_where_a_pulse_is_kept() -> None:
    notes = [n for seed in range(4) for n in answer("performance", seed=seed, pulse=STRAIGHT, ends=False, bars=6)]
    assert np.mean([(note.length_ticks or 0) < 56 for note in notes]) < 0.02


@pytest.mark.parametrize("codec", CODECS)
def test_notes_keep_to_the_key(codec: str) -> None:
    def share(stay: float) -> float:
        notes = [n for seed in range(3) for n in answer(codec, seed=seed, stay=stay, key=D_MAJOR, ends=False)]
        return float(np.mean([note.pitch % 12 in D_MAJOR.scale for note in notes]))

    assert share(0.0) < 0.9
    assert share(1.0) > 0.95


@pytest.mark.parametrize("pulse", [None, STRAIGHT, SWUNG], ids=["free", "straight", "swung"])
@pytest.mark.parametrize("codec", CODECS)
def test_an_answer_ends_on_a_long_chord_of_the_tonic_and_is_at_rest_before_its_end(
    codec: str, pulse: Pulse | None
) -> None:
    end = 5 * BAR
    for seed in range(6):
        notes = answer(codec, seed=seed, key=D_MAJOR, pulse=pulse)
        last = max(note.start_ticks for note in notes)
        chord = [note for note in notes if last - note.start_ticks <= 5]
        assert {note.pitch % 12 for note in chord} <= D_MAJOR.triad
        assert all((note.length_ticks or 0) >= 240 for note in chord)
        assert end - 1300 < last
        assert all((note.end_ticks or 0) < end for note in notes)


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=8, deadline=None)
@given(cut=st.sampled_from((300, 480, 1000, BAR, 4 * BAR)), seed=st.integers(0, 3))
def test_where_an_answer_is_cut_changes_no_onset_up_to_its_end(codec: str, cut: int, seed: int) -> None:
    told = {"pulse": SWUNG, "key": D_MAJOR, "seed": seed}
    cut_up, whole = answer(codec, cut=cut, **told), answer(codec, cut=4 * BAR, **told)  # type: ignore[arg-type]
    assert [(n.start_ticks, n.pitch) for n in cut_up] == [(n.start_ticks, n.pitch) for n in whole]


def test_a_first_note_that_is_wanted_at_once_comes_at_once() -> None:
    for seed in range(6):
        assert answer("performance", seed=seed, opens=True, ends=False)[0].start_ticks <= BAR + 10
