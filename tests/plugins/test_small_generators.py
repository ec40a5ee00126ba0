"""Dice, rules and progression: the contract, and what makes each of them what its page says."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from antiphon import Casting, GeneratorInfo, Key, MakeGenerator, Note, Phrase, Request
from antiphon.plugins.host import load_plugins
from antiphon.testing import check_generator
from antiphon_plugins import dice, progression, rules

BAR, BEAT = 1920, 480
C_MAJOR = Key(0, False, frozenset({0, 2, 4, 5, 7, 9, 11}))
A_MINOR = Key(9, True, frozenset({9, 11, 0, 2, 4, 5, 7, 8}))
ALL = {info.name: (info, make) for info, make in ((m.INFO, m.make) for m in (dice, rules, progression))}


@pytest.mark.parametrize("name", ALL)
def test_it_keeps_every_rule_of_the_contract(name: str) -> None:
    info, make = ALL[name]
    report = check_generator(make, info, allowance=100)
    assert report.seeds_differ
    assert not report.idle_controls
    registered = load_plugins().generator(name)
    assert (registered.info, registered.make) == (info, make)


def played(
    info: GeneratorInfo, make: MakeGenerator, seed: int = 0, bars: int = 8, key: Key = C_MAJOR, **controls: float | str
) -> list[Note]:
    player = make(Casting(seed))
    player.prime(Phrase.of([Note(0, 60, 400, 70)], end_ticks=BAR))
    request = Request(BAR, bars * BAR, info.resolve_controls(controls), key=key, left_ticks=bars * BAR)
    return list(player.extend(request).notes)


# ---- dice ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", dice.FORMS)
@pytest.mark.parametrize("beats", [3, 4])
def test_every_place_has_eleven_bars_any_of_which_fits_the_next(form: str, beats: int) -> None:
    places = dice.table(form, beats)
    assert len(places) == 16
    for degree, bars in zip(dice.FORMS[form][:-1], places[:-1], strict=True):
        assert len(set(bars)) == len(bars) == 11
        chord = {(degree + 2 * step) % 7 for step in range(3)}
        for bar in bars:
            assert {bar[0][2] % 7, bar[-1][2] % 7} <= chord
            assert all(a[0] + a[1] == b[0] and abs(a[2] - b[2]) <= 3 for a, b in pairwise(bar)), "one line, no gap"
            assert bar[0][0] == 0
            assert bar[-1][0] + bar[-1][1] == beats * BEAT
    assert len(set(places[-1])) == 1


@pytest.mark.parametrize("key", [C_MAJOR, A_MINOR])
def test_dice_stay_in_the_key_and_end_on_its_tonic(key: Key) -> None:
    throws = {tuple(played(dice.INFO, dice.make, seed, 16, key, form="pop")) for seed in range(20)}
    assert len(throws) == 20
    for notes in throws:
        assert {note.pitch % 12 for note in notes} <= key.scale
        assert max(notes, key=lambda note: (note.start_ticks, note.pitch)).pitch % 12 in key.triad
        tune = [note for note in notes if note.velocity == 70]
        assert tune[-1].pitch % 12 == key.tonic


# ---- rules ---------------------------------------------------------------------------------------------------------


def lines(count: int) -> list[list[int]]:
    """Lines as people sing them: mostly steps, some leaps, within an octave and a half of C major; home at the end."""
    scale = [pitch for pitch in range(55, 77) if pitch % 12 in C_MAJOR.scale]
    found = []
    for seed in range(count):
        chance = random.Random(seed)
        places = [scale.index(60)]
        for _ in range(chance.randint(4, 14)):
            step = chance.choice((-2, -1, -1, 1, 1, 2, 3, -4))
            places.append(min(len(scale) - 1, max(0, places[-1] + step)))
        found.append([scale[place] for place in places] + [62, 60])
    return found


@pytest.mark.parametrize("side", [1, -1])
def test_the_second_voice_keeps_the_rules_that_its_file_tells(side: int) -> None:
    into_the_end = 0
    for seed, cantus in enumerate(lines(200)):
        voice = rules.second_voice(tuple(cantus), C_MAJOR.scale, side, seed)
        assert len(voice) == len(cantus)
        distances = [side * (own - line) for own, line in zip(voice, cantus, strict=True)]
        assert {distance % 12 for distance in distances} <= {0, 3, 4, 7, 8, 9}
        assert min(distances) > 0, "the voices do not cross"
        assert {pitch % 12 for pitch in voice} <= C_MAJOR.scale
        assert {distances[0] % 12, distances[-1] % 12} <= {0, 7}
        for (a, c), (b, d) in pairwise(zip(voice, cantus, strict=True)):
            if abs(b - d) % 12 in (0, 7):
                assert (b - a) * (d - c) <= 0, f"{cantus} {voice}: a perfect consonance by similar motion"
            assert abs(b - a) not in (6, 10, 11)
            assert abs(b - a) <= 12
        into_the_end += 1 <= abs(voice[-1] - voice[-2]) <= 2
    assert into_the_end >= 170, "by step, unless a rule that weighs more stands against it"


def test_chance_chooses_among_good_voices_and_the_line_comes_back_as_it_was_played() -> None:
    cantus = [60, 62, 64, 65, 67, 65, 64, 62, 60]
    assert len({tuple(rules.second_voice(tuple(cantus), C_MAJOR.scale, 1, seed)) for seed in range(30)}) > 3
    call = Phrase.of([Note(37 + 300 * i, pitch, 250, 60 + i) for i, pitch in enumerate(cantus)], end_ticks=2800)
    player = rules.make(Casting(1))
    player.prime(call)
    alone, both = (
        player.extend(Request(2800, 2763, rules.INFO.resolve_controls({"line": line}), key=C_MAJOR)).notes
        for line in ("without", "with")
    )
    assert [note for note in both if note not in alone] == [note.shifted(2763) for note in call.notes]
    assert [note.start_ticks for note in alone] == [note.start_ticks + 2763 for note in call.notes]
    again = player.extend(Request(2800 + 2763, 2763, rules.INFO.resolve_controls({"line": "without"}), key=C_MAJOR))
    assert [note.shifted(2763) for note in alone] == list(again.notes), "it comes round"


# ---- progression ---------------------------------------------------------------------------------------------------


def degrees(notes: list[Note], key: Key) -> list[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for note in notes:
        found.setdefault(note.start_ticks, set()).add((note.pitch - key.tonic) % 12)
    return [frozenset(classes) for _, classes in sorted(found.items())]


TRIADS = {
    frozenset({0, 4, 7}): "I",
    frozenset({2, 5, 9}): "ii",
    frozenset({4, 7, 11}): "iii",
    frozenset({5, 9, 0}): "IV",
    frozenset({7, 11, 2}): "V",
    frozenset({9, 0, 4}): "vi",
    frozenset({11, 2, 5}): "vii",
}


def test_in_a_thousand_progressions_v_i_is_the_commonest_cadence_and_every_chord_is_the_scale_s() -> None:
    into_home: Counter[str] = Counter()
    for seed in range(1000):
        notes = played(progression.INFO, progression.make, seed, sevenths=0.0)
        names = [TRIADS[chord] for chord in degrees(notes, C_MAJOR)]
        assert len(names) == 8
        assert names[-1] == "I"
        into_home.update(before for before, after in pairwise(names) if after == "I")
    assert into_home.most_common(1)[0][0] == "V"
    assert into_home["V"] > into_home.total() / 2


def test_voices_move_little_and_minor_has_its_leading_note() -> None:
    moves, classes = [], set()
    for seed in range(50):
        notes = played(progression.INFO, progression.make, seed, key=A_MINOR, bass="none", sevenths=0.0)
        assert {note.pitch % 12 for note in notes} <= A_MINOR.scale
        classes |= {note.pitch % 12 for note in notes}
        chords = [sorted(n.pitch for n in notes if n.start_ticks == BAR * (1 + bar)) for bar in range(8)]
        moves += [abs(a - b) for one, other in pairwise(chords) for a, b in zip(one, other, strict=True)]
    assert 8 in classes
    assert sum(moves) / len(moves) < 2.5
    assert max(moves) <= 7


def test_adventure_sevenths_pace_and_bass_do_what_they_say() -> None:
    def kinds(**controls: float | str) -> set[tuple[frozenset[int], ...]]:
        return {
            tuple(degrees(played(progression.INFO, progression.make, seed, **controls), C_MAJOR)) for seed in range(40)
        }

    assert len(kinds(adventure=0.0, sevenths=0.0)) < len(kinds(adventure=1.0, sevenths=0.0))
    chords = {chord for chords in kinds(sevenths=1.0, bass="none") for chord in chords}
    assert {len(chord) for chord in chords if chord != {0, 4, 7}} == {4}
    assert all(len(chords) == 32 for chords in kinds(pace=4.0))
    pedal = played(progression.INFO, progression.make, bass="tonic")
    assert {note.pitch for note in pedal if note.pitch < 50} == {36}
    assert min(note.pitch for note in played(progression.INFO, progression.make, bass="none")) >= 50


def test_beside_a_player_it_plays_the_chord_that_their_tune_suggests() -> None:
    player = progression.make(Casting(0))
    player.prime(Phrase.of([Note(0, 65, None, 70)], end_ticks=1400))
    controls = progression.INFO.resolve_controls({})
    request = Request(BAR, BEAT, controls, key=C_MAJOR, beside=True, chord=frozenset({5, 9, 0}))
    notes = player.extend(request).notes
    assert {note.pitch % 12 for note in notes} == {5, 9, 0}
    assert min(notes, key=lambda note: note.pitch).pitch == 41
