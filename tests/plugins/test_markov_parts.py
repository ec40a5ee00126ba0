"""The parts of the Markov generator, one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.generator import Constraints
from antiphon.notes import Note
from antiphon_plugins.markov.draw import choose, uniform
from antiphon_plugins.markov.events import CHORD_TICKS, GAP_SIXTEENTHS, Event, gap_class, gather, make_event
from antiphon_plugins.markov.guard import earliest_onset, patience, staleness
from antiphon_plugins.markov.key import Key, find_key
from antiphon_plugins.markov.legality import Legality, is_muddy, silence_overlaps, thin
from antiphon_plugins.markov.manner import read_manner
from antiphon_plugins.markov.model import Memory
from antiphon_plugins.markov.pulse import find_sixteenth


def row(*pitches: int, gap: int = 240) -> list[Event]:
    events: list[Event] = []
    for index, pitch in enumerate(pitches):
        events.append(make_event([Note(gap * index, pitch, gap - 20, 80)], events[-1] if events else None))
    return events


def remembered(*pitches: int) -> Memory:
    memory = Memory()
    for event in row(*pitches):
        memory.learn(event)
    return memory


def test_the_longest_context_speaks_first() -> None:
    #                   A B C D ... X B C E ... then A B C: D followed where three agree, E where two do.
    memory = remembered(60, 62, 64, 65, 71, 62, 64, 67, 72, 60, 62, 64)
    predictions = memory.predict(memory.recall(memory.events), 64, 8)
    likeliest = max(predictions, key=lambda prediction: prediction.share)
    assert memory.events[likeliest.place].lead + likeliest.shift == 65
    assert 0 < sum(prediction.share for prediction in predictions) < 1


def test_an_order_of_one_does_not_tell_longer_contexts_apart() -> None:
    memory = remembered(60, 62, 64, 65, 71, 62, 64, 67, 72, 60, 62, 64)
    shares = {
        memory.events[p.place].lead: p.share for p in memory.predict(memory.recall(memory.events), 64, 1) if not p.shift
    }
    assert shares[65] == shares[67]


def test_what_was_heard_in_another_key_is_moved_to_this_one() -> None:
    memory = remembered(60, 64, 67, 71)
    context = row(50, 54, 57)
    predictions = memory.predict(memory.recall(context), 57, 8)
    assert next(memory.events[p.place].lead + p.shift for p in predictions) == 61


def test_a_new_phrase_predicts_nothing() -> None:
    memory = remembered(60)
    assert memory.predict(memory.recall(memory.events), 60, 8) == []


def test_what_is_heard_often_is_likelier_but_not_in_proportion() -> None:
    memory = remembered(*(60, 62) * 4, 60, 65, 60)
    shares = {memory.events[p.place].lead: p.share for p in memory.predict(memory.recall(row(60)), 60, 1)}
    assert 1.5 < shares[62] / shares[65] < 2.5


@given(st.lists(st.integers(0, 127), max_size=20), st.lists(st.integers(0, 127), max_size=20))
def test_unlearning_leaves_no_trace(kept: list[int], taken_back: list[int]) -> None:
    memory, events = Memory(), row(*kept, *taken_back)
    for event in events:
        memory.learn(event)
    for _ in taken_back:
        memory.unlearn()
    fresh = remembered(*kept)
    assert (memory.events, memory._places) == (fresh.events, fresh._places)


def test_what_starts_together_is_one_event() -> None:
    notes = [Note(0, 60, 100, 80), Note(CHORD_TICKS, 64, 100, 80), Note(CHORD_TICKS + 1, 67, 100, 80)]
    assert [len(chord) for chord in gather(notes)] == [2, 1]


def test_note_values_are_told_apart_by_ratio() -> None:
    for index, sixteenths in enumerate(GAP_SIXTEENTHS):
        assert {gap_class(120 * sixteenths * stretch) for stretch in (0.95, 1.0, 1.05)} == {index}
    assert gap_class(0) == 0
    assert gap_class(10**6) == len(GAP_SIXTEENTHS) - 1


@given(st.integers(-(2**70), 2**70), st.integers(0, 2**40), st.integers(0, 9))
def test_chance_lies_between_0_and_1(seed: int, ticks: int, index: int) -> None:
    assert 0 <= uniform(seed, ticks, index) < 1


def test_chance_is_spread_evenly() -> None:
    draws = [uniform(7, ticks, index) for ticks in range(0, 24_000, 12) for index in range(3)]
    for tenth in range(10):
        assert 500 < sum(tenth / 10 <= x < (tenth + 1) / 10 for x in draws) < 700


def test_temperature_bends_the_weights() -> None:
    def frequency(temperature: float) -> float:
        return sum(choose([3, 1], temperature, i / 1000) == 0 for i in range(1000)) / 1000

    assert frequency(0) == 1
    assert frequency(0.5) == 0.9
    assert frequency(1) == 0.75
    assert 0.6 < frequency(2) < 0.65


def test_a_circle_bores_after_a_few_turns() -> None:
    assert staleness([60, 62, 64], 2, loops=False) == {}
    assert staleness([60, 60], 2, loops=False) == {}
    assert staleness([60, 60, 60], 2, loops=False) == {60: 0.2}
    assert staleness([60, 62] * 3, 2, loops=False) == {60: 0.2}
    assert staleness([60, 62] * 3, 6, loops=False) == {}


def test_a_loop_of_the_player_may_come_round_more_often() -> None:
    assert staleness([60, 62] * 3, 2, loops=True) == {}
    assert staleness([60, 62] * 4, 2, loops=True) == {60: 0.2}
    assert staleness([60, 62, 64, 65] * 5, 2, loops=True) == {}


def test_patience_follows_the_player_within_bounds() -> None:
    assert patience([]) == patience([60, 62]) == 2
    assert patience([60] * 4 + [62]) == 4
    assert patience([60] * 40) == 6


def test_density_is_bounded() -> None:
    chord = make_event([Note(1000, pitch, 100, 80) for pitch in range(40, 50)], None)
    assert earliest_onset([]) == 0
    assert earliest_onset(row(60)) == CHORD_TICKS + 1
    assert earliest_onset([chord]) == 1480


def test_the_key_is_found() -> None:
    for tonic in range(12):
        major, minor = [0.0] * 12, [0.0] * 12
        for weight, step in ((3, 0), (1, 2), (2, 4), (1, 5), (2, 7), (1, 9), (1, 11)):
            major[(tonic + step) % 12] = weight
        for weight, step in ((3, 0), (1, 2), (2, 3), (1, 5), (2, 7), (1, 8), (1, 10)):
            minor[(tonic + step) % 12] = weight
        assert find_key(major) == Key(tonic)
        assert find_key(minor) == Key(tonic, minor=True)
    assert Key(9, minor=True).home == 0
    assert Key(9, minor=True).triad == {9, 0, 4}
    assert find_key([0.0] * 12) == Key(0)


def test_the_pulse_is_found_in_free_time() -> None:
    assert abs(find_sixteenth([240, 240, 120, 120, 480]) - 120) < 5
    for stretch in (0.8, 1.0, 1.3):
        gaps = [240 * stretch * wobble for wobble in (0.98, 1.01, 1.0, 2.02, 0.5, 0.49, 1.0, 1.5)]
        assert abs(find_sixteenth(gaps) / (120 * stretch) - 1) < 0.06
    assert find_sixteenth([500]) == 120


def test_the_manner_of_nothing_is_moderate() -> None:
    manner = read_manner([])
    assert (manner.sixteenth_ticks, manner.typical_gap_ticks, manner.key) == (120, 240, Key(0))
    assert 60 <= int(manner.lead_weights.argmax()) <= 76


def test_the_manner_of_a_player_is_read() -> None:
    events: list[Event] = []
    for index, pitch in enumerate((76, 78, 80, 81, 83, 85, 87, 88) * 3):
        events.append(make_event([Note(300 * index, pitch, 150, 40)], events[-1] if events else None))
    manner = read_manner(events)
    assert manner.typical_gap_ticks == 300
    assert manner.key == Key(4)
    assert {touch.velocity for touch in manner.touches} == {40}
    assert {touch.hold for touch in manner.touches} == {0.5}
    assert 78 <= manner.register_pitch <= 86
    assert manner.size_weights.argmax() == 0


def test_a_pause_between_phrases_is_not_their_rhythm() -> None:
    events = row(60, 62, 64, 65)
    late = make_event([Note(9000, 67, 200, 80)], events[-1])
    assert read_manner([*events, late]).longest_gap_ticks == 960


def test_only_allowed_pitches_are_left_of_a_chord() -> None:
    legality = Legality(Constraints(48, 72, frozenset({0, 4, 7}), 2))
    assert legality.fit((48, 52, 53, 60)) == (52, 60)
    assert legality.fit((48, 52, 61)) == ()
    assert 60 + Legality(Constraints(127, 127)).octaves(60) == 120
    assert 61 + Legality(Constraints(0, 0)).octaves(61) == 1
    assert [pitch + legality.octaves(pitch) for pitch in (30, 47, 48, 72, 73, 100)] == [54, 59, 48, 72, 61, 64]


def test_a_cluster_is_thinned_from_below() -> None:
    assert thin((60, 61, 62, 63)) == (60, 62, 63)
    assert thin((59, 60, 64, 67)) == (59, 60, 64, 67)
    assert thin((60,)) == (60,)


def test_close_chords_are_muddy_only_in_the_bass() -> None:
    assert is_muddy((40, 44, 47))
    assert not is_muddy((40, 47, 52))
    assert not is_muddy((60, 64, 67))
    assert not is_muddy((30,))


def test_no_pitch_sounds_twice_at_once() -> None:
    notes = [Note(0, 60, 500, 80), Note(100, 62, 500, 80), Note(200, 60, 500, 80)]
    assert [note.length_ticks for note in silence_overlaps(notes, 16)] == [200, 500, 500]
    assert [note.length_ticks for note in silence_overlaps(notes, 1)] == [100, 100, 500]
