"""The Markov generator as the host sees it: the contract, and the manner of its answers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.generator import Casting, Constraints, Request, check_phrase
from antiphon.notes import Note, Phrase, score_order
from antiphon.testing import check_generator, sample_phrases, streamed
from antiphon_plugins.markov import INFO, make
from antiphon_plugins.markov.events import gather
from antiphon_plugins.markov.generator import MarkovGenerator
from antiphon_plugins.markov.table import load_table

BAR = 1920
TABLE = load_table()


def player(seed: int = 0, heard: Phrase | None = None) -> MarkovGenerator:
    generator = MarkovGenerator(seed, TABLE)
    if heard is not None:
        generator.prime(heard)
    return generator


def request(start: int, length: int = BAR, constraints: Constraints | None = None, **controls: float) -> Request:
    return Request(start, length, INFO.resolve_controls(controls), constraints or Constraints())


def answer(heard: Phrase, bars: int = 4, seed: int = 0, **controls: float) -> list[Note]:
    """Bar by bar, as the host asks for it; the last bar is final."""
    generator = player(seed, heard)
    notes: list[Note] = []
    for bar in range(bars):
        asked = replace(request(heard.end_ticks + bar * BAR, **controls), final=bar == bars - 1)
        notes += check_phrase(generator.extend(asked), asked).notes
    return notes


def state(generator: MarkovGenerator) -> tuple[object, ...]:
    memory = generator._memory
    return list(memory.events), memory._places, generator._notes, list(generator._ends)


@st.composite
def heard_phrases(draw: st.DrawFn) -> Phrase:
    """Anything a musician may do, keys held and struck together included."""
    ticks = 0
    notes: dict[tuple[int, int], Note] = {}
    for _ in range(draw(st.integers(0, 24))):
        ticks += draw(st.sampled_from((0, 7, 30, 31, 60, 113, 120, 240, 247, 480, 2500)))
        pitch = draw(st.integers(0, 127))
        length = draw(st.one_of(st.none(), st.integers(1, 4000)))
        notes[ticks, pitch] = Note(ticks, pitch, length, draw(st.integers(1, 127)))
    rows = sorted(notes.values(), key=score_order)
    return Phrase(0, ticks + draw(st.integers(1, 3000)), tuple(rows))


constraint_sets = st.builds(
    lambda low, width, scale, polyphony: Constraints(low, min(127, low + width), scale, polyphony),
    st.integers(0, 127),
    st.integers(0, 60),
    st.one_of(st.none(), st.frozensets(st.integers(0, 11), min_size=1)),
    st.integers(1, 16),
)


IDLE_CONTROLS = {
    "nothing": {"trust"},
    "silence": {"trust"},
    "single note": {"trust"},
    "chords": {"order"},
    "dense": {"trust"},
}
"""Which controls make no difference after such a call: where next to nothing was heard, trust in it."""


@pytest.mark.parametrize("name", sample_phrases())
def test_it_keeps_every_rule_of_the_contract(name: str) -> None:
    report = check_generator(make, INFO, phrases={name: sample_phrases()[name]}, allowance=100)
    assert set(report.idle_controls) <= IDLE_CONTROLS.get(name, set())
    assert report.seeds_differ


@settings(max_examples=60, deadline=None)
@given(heard=heard_phrases())
def test_streamed_equals_whole(heard: Phrase) -> None:
    piecewise, whole = player(), player(heard=heard)
    for part in streamed(heard):
        piecewise.prime(part)
    assert state(piecewise) == state(whole)
    assert piecewise.extend(request(heard.end_ticks)) == whole.extend(request(heard.end_ticks))


@settings(max_examples=60, deadline=None)
@given(heard=heard_phrases(), data=st.data())
def test_rewinding_unlearns_exactly(heard: Phrase, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, heard.end_ticks))
    before = player(heard=Phrase(0, cut, tuple(note for note in heard.notes if note.start_ticks < cut)))
    generator = player(heard=heard)
    generator.extend(request(heard.end_ticks))
    generator.rewind(cut)
    assert state(generator) == state(before)
    assert generator.extend(request(cut)) == before.extend(request(cut))


@settings(max_examples=80, deadline=None)
@given(
    heard=heard_phrases(),
    constraints=constraint_sets,
    length=st.integers(1, 2 * BAR),
    final=st.booleans(),
    trust=st.sampled_from((0.0, 0.3, 0.7, 1.0)),
    temperature=st.sampled_from((0.0, 1.0, 2.0)),
)
def test_phrases_are_legal_and_within_the_constraints(
    heard: Phrase, constraints: Constraints, length: int, final: bool, trust: float, temperature: float
) -> None:
    generator = player(heard=heard)
    start = heard.end_ticks
    for _ in range(3):
        asked = replace(request(start, length, constraints, trust=trust, temperature=temperature, order=3), final=final)
        notes = check_phrase(generator.extend(asked), asked).notes
        for note in notes:
            assert constraints.low_pitch <= note.pitch <= constraints.high_pitch
            assert constraints.scale is None or note.pitch % 12 in constraints.scale
            here = note.start_ticks
            sounding = [n for n in notes if n.start_ticks <= here < n.start_ticks + (n.length_ticks or 0)]
            assert len(sounding) <= constraints.polyphony
        start += length


@pytest.mark.parametrize(("low", "high"), [(127, 127), (0, 0), (120, 127)])
def test_a_range_at_the_edge_of_the_keyboard_is_played_in(low: int, high: int) -> None:
    heard = sample_phrases()["melody"]
    notes = player(heard=heard).extend(request(heard.end_ticks, BAR, Constraints(low, high))).notes
    assert notes
    assert all(low <= note.pitch <= high for note in notes)


def test_rewind_into_an_answer_repeats_what_followed() -> None:
    heard = sample_phrases()["melody"]
    generator = player(heard=heard)
    first = generator.extend(request(heard.end_ticks))
    second = generator.extend(request(first.end_ticks))
    third = generator.extend(request(second.end_ticks))
    generator.rewind(first.end_ticks)
    assert generator.extend(request(first.end_ticks)) == second
    assert generator.extend(request(second.end_ticks)) == third


def test_the_first_note_falls_at_the_handover() -> None:
    for heard in sample_phrases().values():
        phrase = player(heard=heard).extend(request(heard.end_ticks))
        assert phrase.notes[0].start_ticks == heard.end_ticks


def test_where_no_pitch_is_allowed_it_rests() -> None:
    heard = sample_phrases()["melody"]
    only_c_sharp_between_c_and_c = Constraints(low_pitch=60, high_pitch=60, scale=frozenset({1}))
    assert player(heard=heard).extend(request(heard.end_ticks, BAR, only_c_sharp_between_c_and_c)).notes == ()


def test_answers_do_not_depend_on_the_process() -> None:
    program = (
        "from antiphon_plugins.markov import make, INFO; from antiphon.generator import Casting, Request;"
        "from antiphon.testing import sample_phrases; heard = sample_phrases()['melody']; g = make(Casting(5));"
        "g.prime(heard); print(g.extend(Request(heard.end_ticks, 7680, INFO.resolve_controls({}))).notes)"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(answers) == 1
    assert "Note(" in answers.pop()


def test_the_seed_decides() -> None:
    heard = sample_phrases()["melody"]
    assert len({tuple(answer(heard, seed=seed)) for seed in range(5)}) == 5


def distinctive_minute() -> Phrase:
    """A minute on a whole-tone scale, in rising triplets: nothing the table would play by itself."""
    notes = []
    rng = random.Random(4)
    ticks = 0
    while ticks < 115_200 // 4:
        root = rng.choice((60, 62, 64, 66))
        for step in (0, 4, 8, 6, 2, 10):
            notes.append(Note(ticks, root + step, 150, 100 + rng.randrange(8)))
            ticks += 160
    return Phrase.of(notes, end_ticks=ticks)


def share(notes: list[Note], wanted: set[int]) -> float:
    return sum(note.pitch % 12 in wanted for note in notes) / len(notes)


def gaps(notes: list[Note]) -> list[int]:
    onsets = [chord[0].start_ticks for chord in gather(notes)]
    return [after - before for before, after in pairwise(onsets)]


def test_within_a_minute_it_plays_in_the_manner_of_the_player() -> None:
    heard = distinctive_minute()
    whole_tone = {0, 2, 4, 6, 8, 10}
    learnt = [note for seed in range(6) for note in answer(heard, seed=seed)]
    table_alone = [note for seed in range(6) for note in answer(Phrase(0, 0), seed=seed, trust=0)]
    assert share(learnt, whole_tone) > 0.9 > share(table_alone, whole_tone) + 0.2
    triplets = [gap for seed in range(6) for gap in gaps(answer(heard, seed=seed))]
    assert sum(abs(gap - 160) <= 8 for gap in triplets) > 0.8 * len(triplets)
    assert all(95 <= note.velocity <= 112 for note in learnt)


def test_trust_moves_it_between_table_and_player() -> None:
    heard = distinctive_minute()
    whole_tone = {0, 2, 4, 6, 8, 10}
    shares = [
        share([note for seed in range(8) for note in answer(heard, seed=seed, trust=trust)], whole_tone)
        for trust in (0.0, 1.0)
    ]
    assert shares[1] == 1.0
    assert shares[0] < 0.95


def test_the_order_decides_how_much_it_quotes() -> None:
    rng = random.Random(2)
    notes = [Note(240 * i, rng.choice((60, 62, 64, 65, 67, 69, 71, 72)), 220, 80) for i in range(240)]
    heard = Phrase.of(notes, end_ticks=240 * 240)
    row = [note.pitch for note in notes]
    fives = {tuple(row[i : i + 5]) for i in range(len(row) - 4)}

    def quoted(order: int) -> float:
        runs = []
        for seed in range(8):
            pitches = [note.pitch for note in answer(heard, seed=seed, order=order, trust=1)]
            runs += [tuple(pitches[i : i + 5]) in fives for i in range(len(pitches) - 4)]
        return sum(runs) / len(runs)

    assert quoted(8) > quoted(1) + 0.2


def test_without_temperature_the_seed_makes_no_difference_to_the_notes() -> None:
    heard = sample_phrases()["melody"]
    rows = {tuple(note.pitch for note in answer(heard, seed=seed, temperature=0, trust=1)) for seed in range(4)}
    assert len(rows) == 1


def test_chords_stay_chords() -> None:
    progression = ((48, 60, 64, 67), (43, 59, 62, 67), (45, 57, 60, 64), (41, 57, 60, 65)) * 3
    notes = [
        Note(960 * i + spread, pitch, 900, 70)
        for i, chord in enumerate(progression)
        for spread, pitch in enumerate(chord)
    ]
    heard = Phrase.of(notes, end_ticks=960 * len(progression))
    played = [note for seed in range(4) for note in answer(heard, seed=seed, bars=6)]
    chords = [
        tuple(note.pitch for note in chord) for seed in range(4) for chord in gather(answer(heard, seed=seed, bars=6))
    ]
    known = set(progression)
    assert sum(chord in known for chord in chords) > 0.6 * len(chords)
    assert len(played) > 3 * len(chords)


def test_a_final_phrase_ends_on_a_sustained_note() -> None:
    heard = sample_phrases()["melody"]
    for seed in range(8):
        last = gather(answer(heard, seed=seed, bars=2))[-1]
        assert all(note.end_ticks == heard.end_ticks + 2 * BAR for note in last)
    leads = [gather(answer(heard, seed=seed, bars=2))[-1][-1].pitch % 12 for seed in range(12)]
    assert sum(lead in {0, 4, 7} for lead in leads) >= 9


def noise() -> Phrase:
    rng = random.Random(0)
    notes = {
        (n.start_ticks, n.pitch): n
        for n in (Note(rng.randrange(960), rng.randrange(36, 97), 50, 80) for _ in range(200))
    }
    return Phrase.of(notes.values(), start_ticks=0, end_ticks=960)


AWKWARD = {
    "nothing": Phrase(0, 0),
    "silence": Phrase(0, 4 * BAR),
    "one held chord": Phrase(0, BAR, tuple(Note(0, pitch, None, 70) for pitch in (60, 64, 67))),
    "a scale": Phrase.of([Note(240 * i, p, 220, 80) for i, p in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]),
    "noise": noise(),
    "one key, hammered": Phrase.of([Note(90 * i, 60, 40, 110) for i in range(60)]),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_call_gets_a_sensible_answer(name: str) -> None:
    heard = AWKWARD[name]
    for seed in range(6):
        notes = answer(heard, bars=8, seed=seed)
        chords = gather(notes)
        onsets = [chord[0].start_ticks for chord in chords]
        assert max(gaps(notes), default=0) <= BAR, "a bar of silence"
        for start in onsets:
            within_a_beat = sum(len(chord) for chord in chords if start <= chord[0].start_ticks < start + 480)
            assert within_a_beat <= 16, "too dense"
        rows = [tuple(note.pitch for note in chord) for chord in chords]
        longest = max(sum(1 for _ in run) for run in runs(rows))
        assert longest <= 16, "a machine gun"
        if heard.notes and name != "noise":
            low, high = min(n.pitch for n in heard.notes), max(n.pitch for n in heard.notes)
            outside = [note for note in notes if not low - 19 <= note.pitch <= high + 19]
            assert len(outside) <= 0.05 * len(notes), "far from the register of the call"
        for chord in chords:
            pitches = sorted({note.pitch for note in chord})
            clashes = sum(b - a == 1 for a, b in pairwise(pitches))
            assert clashes <= 2, "a cluster"


def runs(rows: list[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    grouped: list[list[tuple[int, ...]]] = []
    for row in rows:
        if grouped and grouped[-1][0] == row:
            grouped[-1].append(row)
        else:
            grouped.append([row])
    return grouped


def test_hearing_only_itself_it_does_not_get_stuck() -> None:
    heard = sample_phrases()["melody"]
    generator = player(heard=heard)
    notes = list(heard.notes)
    start = heard.end_ticks
    for _ in range(60):
        phrase = generator.extend(request(start))
        start = phrase.end_ticks
        notes += phrase.notes
        generator.prime(Phrase(0, start, tuple(notes)))
    late = [note for note in notes if note.start_ticks >= start - 8 * BAR]
    assert 8 * 2 <= len(late) <= 8 * 24
    assert len({note.pitch for note in late}) >= 5
    assert all(36 <= note.pitch <= 90 for note in late)


def test_the_model_named_by_the_preset_is_used(tmp_path: object) -> None:
    with pytest.raises(ValueError, match=r"'nowhere\.npz' cannot be read"):
        make(Casting(0, "nowhere.npz"))


def test_density_halves_or_doubles_how_much_it_plays() -> None:
    notes = tuple(Note(240 * i, 60 + (0, 2, 4, 5, 7, 5, 4, 2)[i % 8], 200, 80) for i in range(32))
    heard = Phrase(0, 32 * 240, notes)
    counts = [
        sum(len(answer(heard, bars=8, seed=seed, density=density)) for seed in range(4))
        for density in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert counts == sorted(counts)
    assert counts[0] < 0.65 * counts[2]
    assert counts[4] > 1.6 * counts[2]


@pytest.mark.parametrize("density", [0.0, 0.2, 0.8, 1.0])
def test_at_any_density_bars_asked_for_one_by_one_are_the_same_as_all_at_once(density: float) -> None:
    notes = tuple(Note(240 * i, 60 + i % 5, 200, 80) for i in range(20))
    heard = Phrase(0, 20 * 240, notes)
    whole = player(3, heard).extend(request(heard.end_ticks, 4 * BAR, density=density))
    generator = player(3, heard)
    onsets = []
    for bar in range(4):
        onsets += generator.extend(request(heard.end_ticks + bar * BAR, density=density)).notes
    assert [(n.start_ticks, n.pitch) for n in onsets] == [(n.start_ticks, n.pitch) for n in whole.notes]
