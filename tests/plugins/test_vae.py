"""The interpolator over a model whose code is the roll itself: what it plays is plain from its ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_roll_model import write_toy_vae

from antiphon.errors import AntiphonError
from antiphon.generator import Casting, Generator, Morph, Request, check_phrase
from antiphon.models.card import read_roll_card
from antiphon.notes import Note, Phrase
from antiphon.plugins.host import load_plugins
from antiphon.presets.step_notation import parse_steps
from antiphon.testing import check_generator, sample_phrases
from antiphon_plugins import lstm, vae
from antiphon_plugins.vae.feel import phase_of
from antiphon_plugins.vae.likelihood import notes_in, threshold_of
from antiphon_plugins.vae.travel import between, noise, position

BAR, STEP = 1920, 120
BASS = parse_steps("C2 - . C2 . . G2 - | C2 . . . E2 - - -")
LEAD = parse_steps("F#4+A4 . . . . D5 . . | C#5 . . . F#4 . A4 .")
STRAIGHT = {"stray": 0.0}
SHIPPED = Path(vae.__file__).with_name("vae.onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_toy_vae(tmp_path_factory.mktemp("models") / "toy.onnx"))


@pytest.fixture
def player(model: str) -> Generator:
    """Heard a bar of nothing: its answers begin at 1,920."""
    player = vae.make(Casting(0, model))
    player.prime(Phrase(0, BAR))
    return player


def asked(*ends: Phrase | None, start: int = BAR, length: int = BAR, bar: int = BAR, **controls: float) -> Request:
    resolved = vae.INFO.resolve_controls({**STRAIGHT, **controls})
    return Request(start, length, resolved, bar_ticks=bar, given=Morph(*ends) if ends else None)


def struck(notes: Sequence[Note], since: int = BAR) -> list[tuple[int, int]]:
    return [(note.start_ticks - since, note.pitch) for note in notes]


@dataclass(slots=True)
class Between:
    """The interpolator, asked to play between two ends whatever it is asked."""

    inner: Generator

    def prime(self, heard: Phrase) -> None:
        self.inner.prime(heard)

    def rewind(self, to_ticks: int) -> None:
        self.inner.rewind(to_ticks)

    def extend(self, request: Request) -> Phrase:
        return self.inner.extend(replace(request, given=Morph(BASS, LEAD)))


def test_it_keeps_every_rule_of_the_contract(model: str) -> None:
    phrases = {name: phrase for name, phrase in sample_phrases().items() if name in ("held", "silence")}
    report = check_generator(vae.make, vae.INFO, model=model, phrases=phrases, allowance=100)
    assert report.seeds_differ


def test_it_keeps_every_rule_between_two_ends(model: str) -> None:
    phrases = {"held": sample_phrases()["held"]}
    report = check_generator(
        lambda casting: Between(vae.make(casting)), vae.INFO, model=model, phrases=phrases, allowance=100
    )
    assert set(report.idle_controls) <= {"human"}, "they are quantised"


def test_at_either_end_it_plays_what_lies_there(player: Generator) -> None:
    for where, end in ((0, BASS), (1, LEAD)):
        notes = player.extend(asked(BASS, LEAD, position=where)).notes
        assert struck(notes) == struck(end.notes, 0)
        assert [note.length_ticks for note in notes] == [note.length_ticks for note in end.notes]


def test_from_one_end_to_the_other_the_pitches_change_over(player: Generator) -> None:
    distances = []
    for where in np.linspace(0, 1, 9):
        notes = player.extend(asked(BASS, LEAD, position=float(where))).notes
        classes = Counter(note.pitch % 12 for note in notes)
        in_a, in_b = (len({n.pitch % 12 for n in end.notes} & set(classes)) for end in (BASS, LEAD))
        distances.append((in_a, -in_b))
    assert distances == sorted(distances, reverse=True)
    assert distances[0] == (3, 0)
    assert distances[-1] == (0, -4)


def test_half_a_bar_at_a_time_it_plays_the_same(player: Generator) -> None:
    whole = player.extend(asked(BASS, LEAD, length=4 * BAR, position=0.5)).notes
    lengths = (480, 480, 960, 960, 960, 1920, 700, 1220)
    pieces: list[Note] = []
    start = BAR
    for length in lengths:
        pieces += player.extend(asked(BASS, LEAD, start=start, length=length, position=0.5)).notes
        start += length
    assert start == 5 * BAR
    assert tuple(pieces) == whole


@pytest.mark.parametrize("bars", [1, 2, 3, 5])
def test_a_loop_of_any_number_of_bars_goes_round(player: Generator, bars: int) -> None:
    notes = [Note(bar * BAR + 480 * beat, 48 + 2 * bar, STEP, 84) for bar in range(bars) for beat in range(bar % 4 + 1)]
    loop = Phrase.of(notes, 0, bars * BAR)
    played = player.extend(asked(loop, None, length=2 * bars * BAR, position=0)).notes
    assert struck(played) == struck(loop.notes, 0) + struck(loop.shifted(bars * BAR).notes, 0)


def test_both_ends_go_round_in_their_own_time(player: Generator) -> None:
    three = Phrase.of([Note(bar * BAR, 60 + bar, STEP, 84) for bar in range(3)], 0, 3 * BAR)
    two = Phrase.of([Note(bar * BAR, 80 + bar, STEP, 84) for bar in range(2)], 0, 2 * BAR)
    for where, expected in ((0, [60, 61, 62, 60]), (1, [80, 81, 80, 81])):
        notes = player.extend(asked(three, two, length=4 * BAR, position=where)).notes
        assert [note.pitch for note in notes] == expected


@pytest.mark.parametrize("bar_steps", [1, 5, 12, 14, 16, 24, 33, 48, 62, 256])
def test_in_every_metre_the_loop_is_played(model: str, bar_steps: int) -> None:
    bar = bar_steps * STEP
    loop = Phrase.of([Note(0, 50, STEP, 84), Note(bar - STEP, 70, STEP, 84), Note(bar, 52, STEP, 84)], 0, 2 * bar)
    player = vae.make(Casting(0, model))
    player.prime(Phrase(0, 3 * bar))
    notes = player.extend(asked(loop, None, start=3 * bar, length=4 * bar, bar=bar, position=0)).notes
    assert sorted(struck(notes, 3 * bar)) == sorted(struck((*loop.notes, *loop.shifted(2 * bar).notes), 0))


def test_the_player_s_timing_and_accents_are_kept(player: Generator) -> None:
    swung = Phrase.of([Note(240 * i + 40 * (i % 2), 60, 200, 90 - 20 * (i % 2)) for i in range(8)], 0, BAR)
    human = player.extend(asked(swung, BASS, position=0)).notes
    machine = player.extend(asked(swung, BASS, position=0, human=0)).notes
    assert struck(human) == struck(swung.notes, 0)
    assert struck(machine) == [(240 * i, 60) for i in range(8)]
    steady = parse_steps("C3 . C3 . C3 . C3 . C3 . C3 . C3 . C3 .")
    for amount, louder in ((1.0, 20), (0.5, 10), (0.0, 0)):
        notes = player.extend(asked(swung, steady, position=1, human=amount)).notes
        assert [notes[i].velocity - notes[i + 1].velocity for i in (0, 2, 4, 6)] == [louder] * 4
    half = player.extend(asked(swung, BASS, position=0, human=0.5)).notes
    assert struck(half) == [(240 * i + 20 * (i % 2), 60) for i in range(8)]


def test_who_is_quantised_or_was_never_played_takes_over_the_timing_of_the_other_end(player: Generator) -> None:
    late = Phrase.of([Note(480 * i + 30, 60, 200, 84) for i in range(4)], 0, BAR)
    assert {ticks % STEP for ticks, _ in struck(player.extend(asked(late, BASS, position=1)).notes)} == {30}
    assert {ticks % STEP for ticks, _ in struck(player.extend(asked(late, None, position=1)).notes)} == {30}
    early = Phrase.of([Note(max(0, 480 * i - 10), 60, 200, 84) for i in range(1, 4)], 0, BAR)
    played = player.extend(asked(late, early, position=0.5)).notes
    assert {ticks % STEP for ticks, _ in struck(played) if ticks >= 480} == {10}


def test_a_note_ahead_of_its_beat_stays_in_the_phrase(player: Generator) -> None:
    early = Phrase.of([Note(480 * i - 20, 60, 200, 84) for i in range(1, 5)], 0, 2 * BAR)
    request = asked(early, None, start=BAR + 480, length=480, position=0)
    phrase = check_phrase(player.extend(request), request)
    assert struck(phrase.notes) == [(480, 60)]


def test_music_beside_the_grid_is_read_as_though_it_were_on_it() -> None:
    steps = (0, 3, 4, 8, 11, 14)
    for phase in (-50, -7, 0, 20, 58):
        notes = [Note(2000 + STEP * step + phase, 60, 100, 80) for step in steps]
        assert phase_of(Phrase(2000, 2000 + BAR, tuple(notes))) == phase
    triplets = [Note(160 * i, 60, 100, 80) for i in range(12)]
    assert phase_of(Phrase.of(triplets, 0, BAR)) == 0
    assert phase_of(Phrase(0, BAR)) == 0


def test_a_ramp_goes_there_and_back() -> None:
    places = [position({"ramp_bars": 4.0, "position": 0.9}, 0, BAR, bars) for bars in range(9)]
    assert places == [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0]


def test_wandering_is_slow_and_a_matter_of_seed_and_place() -> None:
    def walk(seed: int, origin: int) -> list[float]:
        return [position({"wander": 1.0, "position": 0.5}, seed, origin, bars / 4) for bars in range(400)]

    here = walk(0, BAR)
    assert here == walk(0, BAR)
    assert here != walk(1, BAR)
    assert here != walk(0, 2 * BAR)
    assert min(here) == 0
    assert max(here) == 1
    assert max(abs(a - b) for a, b in pairwise(here)) < 0.2


codes = st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6).map(lambda numbers: np.array(numbers, np.float32))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(codes, codes, st.floats(0, 1))
def test_the_way_begins_and_ends_at_its_ends_and_never_leaves_their_lengths(
    a: np.ndarray, b: np.ndarray, here: float
) -> None:
    assert np.allclose(between(a, b, 0.0), a, atol=1e-4)
    assert np.allclose(between(a, b, 1.0), b, atol=1e-4)
    assert np.linalg.norm(between(a, b, here)) <= max(np.linalg.norm(a), np.linalg.norm(b)) + 1e-3
    assert np.isfinite(between(a, b, here)).all()


def test_half_way_between_two_directions_lies_the_one_between_them_at_their_distance() -> None:
    a, b = np.array([2, 0], np.float32), np.array([0, 4], np.float32)
    assert np.allclose(between(a, b, 0.5), np.array([1, 1]) * 3 / np.sqrt(2))


def test_chance_is_a_matter_of_seed_place_and_purpose() -> None:
    drawn = [noise(8, *what).tolist() for what in ((0, 0, "a"), (1, 0, "a"), (0, 1, "a"), (0, 0, "b"), (2**40, 0, "a"))]
    assert len({tuple(code) for code in drawn}) == 5
    assert drawn[0] == noise(8, 0, 0, "a").tolist()
    # For ever: a recorded session must play again.
    assert np.allclose(drawn[0][:3], (-1.5253589, -0.42400855, 0.39497659))


def test_straying_leaves_the_line_by_a_different_way_in_each_round(player: Generator) -> None:
    straight = player.extend(asked(BASS, LEAD, length=4 * BAR, position=0)).notes
    strayed = player.extend(asked(BASS, LEAD, length=4 * BAR, position=0, stray=0.9)).notes
    assert strayed != straight
    first, second = ([(t % 3840, p) for t, p in struck(strayed) if t // 3840 == half] for half in (0, 1))
    assert first != second


def test_an_end_that_is_left_open_is_drawn_anew_for_each_answer(model: str) -> None:
    drawn = []
    for seed, heard_bars in ((0, 1), (0, 1), (1, 1), (0, 2)):
        player = vae.make(Casting(seed, model))
        player.prime(Phrase(0, heard_bars * BAR))
        start = heard_bars * BAR
        drawn.append(tuple(struck(player.extend(asked(BASS, None, start=start, position=1)).notes, start)))
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3
    assert all(drawn)


def test_its_directions_are_heard(player: Generator) -> None:
    plain, dense, high, loud = (
        player.extend(asked(BASS, LEAD, position=0, **turned)).notes
        for turned in ({}, {"density": 1.0}, {"register": 1.0}, {"loudness": 1.0})
    )
    assert len(dense) > len(plain)
    assert max(note.pitch for note in high) > max(note.pitch for note in plain)
    assert min(b.velocity - a.velocity for a, b in zip(plain, loud, strict=True)) > 10


def test_without_ends_it_plays_variations_of_what_was_played_last(model: str) -> None:
    player = vae.make(Casting(0, model))
    long_ago = LEAD.shifted(2 * BAR)
    player.prime(Phrase(0, 9 * BAR, (*long_ago.notes, *BASS.shifted(7 * BAR).notes, *BASS.shifted(8 * BAR).notes)))
    notes = player.extend(asked(start=9 * BAR, length=2 * BAR)).notes
    assert struck(notes, 9 * BAR) == struck((*BASS.notes, *BASS.shifted(BAR).notes), 0)
    varied = player.extend(asked(start=9 * BAR, length=2 * BAR, stray=0.85)).notes
    assert struck(varied, 9 * BAR) != struck(notes, 9 * BAR)
    assert len(set(struck(varied, 9 * BAR)) & set(struck(notes, 9 * BAR))) > len(notes) / 2


def test_the_threshold_gives_as_many_notes_as_are_wanted() -> None:
    roll = np.zeros((32, 3, 88), np.float32)
    roll[:8, 0, 40] = np.linspace(0.3, 0.9, 8)
    roll[::2, 0, 50] = 0.01
    for wanted in range(9):
        assert notes_in(roll, threshold_of(roll, wanted)) == wanted
    assert notes_in(roll, threshold_of(roll, 100)) == 8, "what is unlikely is never played"
    assert notes_in(roll, threshold_of(roll)) == 5, "0.3 + … + 0.9"
    roll[:8, 0, 40] = 0.9
    assert notes_in(roll, threshold_of(roll)) == 8, "what is sure is always played"
    assert threshold_of(np.zeros((32, 3, 88), np.float32)) == 0.5


def test_it_is_registered_with_the_folder_of_its_models() -> None:
    registered = load_plugins().generator("vae")
    assert (registered.info, registered.make) == (vae.INFO, vae.make)
    assert vae.INFO.models == Path(vae.__file__).parent
    assert vae.INFO.interpolates


def test_the_shipped_model_plays_both_ends_and_what_lies_between() -> None:
    """That it keeps the rules follows from the toy; what it has learnt is judged elsewhere."""
    card = read_roll_card(SHIPPED)
    assert (card.architecture, card.codec, sorted(card.directions)) == (
        "vae",
        "roll",
        ["density", "loudness", "register"],
    )
    assert card.licences, "what is shipped says on what terms"
    player = vae.make(Casting(0))
    player.prime(Phrase(0, BAR))
    played = [player.extend(asked(BASS, LEAD, length=2 * BAR, position=where / 4)).notes for where in range(5)]
    assert all(played)
    assert len(set(played)) > 2


def test_it_says_what_computes_its_model(model: str) -> None:
    assert vae.make(Casting(0, model)).runs_on == "cpu (model toy, float32)"  # type: ignore[attr-defined]  # it may


def test_a_model_of_tokens_is_refused_and_its_own_are_refused_by_those_who_play_tokens(model: str) -> None:
    tokens = Path(lstm.__file__).with_name("grid-lstm.onnx")
    with pytest.raises(AntiphonError, match=r"grid-lstm\.onnx' is a lstm of tokens; wanted: a model of piano rolls"):
        vae.make(Casting(0, str(tokens)))
    with pytest.raises(AntiphonError, match=r"speaks the codec 'roll', .*: choose the generator 'vae' for it"):
        lstm.make(Casting(0, model))
