"""A generator at work: what it is told, and what it may say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import Deaf, Toy, echo, failing

from antiphon.duet.commands import Continuation, Extend, Failed, Prime
from antiphon.duet.player import Player, constrain
from antiphon.generator import Constraint, Constraints, GeneratorInfo, Request, check_phrase
from antiphon.notes import Note, Phrase

INFO = GeneratorInfo("toy", "a toy")
C_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})
FIRST, SECOND = Note(0, 60, 100, 80), Note(200, 62, 100, 80)


def prime(epoch: int, keep: int, *notes: Note, end: int = 480) -> Prime:
    return Prime(0, "main", epoch, keep, notes, end)


def extend(epoch: int, start: int = 480, constraints: Constraints = Constraints()) -> Extend:
    return Extend(0, "main", epoch, 0, Request(start, 480, constraints=constraints))


def test_a_player_hears_what_is_new_and_goes_on_from_its_end() -> None:
    toy = Toy(echo)
    player = Player(INFO, toy)
    assert player.perform([prime(0, 0, FIRST)]) == []
    replies = player.perform([prime(1, 1, SECOND), extend(1)])
    assert toy.primed == [Phrase(0, 480, (FIRST,)), Phrase(0, 480, (FIRST, SECOND))]
    assert replies == [Continuation(0, "main", 1, 0, Phrase(480, 960, (Note(480, 72, 120, 80),)))]


def test_what_became_stale_while_the_player_was_busy_is_not_composed_but_heard() -> None:
    toy = Toy(echo)
    replies = Player(INFO, toy).perform([prime(0, 0, FIRST), extend(0), prime(1, 1, SECOND), extend(1)])
    assert [reply.epoch for reply in replies] == [1]
    assert toy.primed == [Phrase(0, 480, (FIRST, SECOND))]


def test_what_was_composed_is_taken_back_before_something_new_is_heard() -> None:
    rewound: list[int] = []

    class Watched(Toy):
        def rewind(self, to_ticks: int) -> None:
            rewound.append(to_ticks)

    player = Player(INFO, Watched(echo))
    player.perform([prime(0, 0, FIRST), extend(0)])
    player.perform([prime(1, 1, end=700)])
    player.perform([prime(2, 1, end=900)])
    assert rewound == [480], "to the end of what it had heard when it composed, and only if it had composed"


def test_a_player_tells_what_computes_its_generator_if_that_does() -> None:
    class Computed(Toy):
        runs_on = "an abacus"

    assert Player(INFO, Computed(echo)).runs_on == "an abacus"
    assert Player(INFO, Toy(echo)).runs_on is None


def test_a_player_that_knows_nothing_begins_at_the_end_of_nothing() -> None:
    toy = Toy(echo)
    Player(INFO, toy).perform([prime(0, 0, end=77)])
    assert toy.heard == Phrase(77, 77)


def test_what_a_generator_raises_comes_back_as_a_failure() -> None:
    assert Player(INFO, Toy(failing)).perform([prime(3, 0, FIRST), extend(3)]) == [
        Failed(0, "main", 3, 0, "RuntimeError: out of ideas")
    ]


def test_a_generator_that_cannot_listen_is_not_asked_to_go_on() -> None:
    player = Player(INFO, Deaf())
    assert player.perform([prime(3, 0, FIRST), extend(3)]) == [Failed(0, "main", 3, -1, "ValueError: no ears")]
    assert player.perform([extend(3)]) == []


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        ((Note(479, 60, 10, 80),), "notes[0].start_ticks is 479"),
        ((Note(960, 60, 10, 80),), "notes[0].start_ticks is 960"),
        ((Note(480, -1, 10, 80),), "notes[0].pitch is -1"),
        ((Note(480, 60, None, 80),), "notes[0].length_ticks is None"),
        ((Note(500, 60, 10, 80), Note(490, 60, 10, 80)), "notes[1] at tick 490 is out of order"),
    ],
)
def test_nonsense_is_refused_by_name(notes: tuple[Note, ...], reason: str) -> None:
    class Raw(Toy):
        def extend(self, request: Request) -> Phrase:
            return Phrase(request.start_ticks, request.end_ticks, notes)

    (reply,) = Player(INFO, Raw(echo)).perform([prime(0, 0), extend(0)])
    assert isinstance(reply, Failed)
    assert reply.reason.startswith(f"IllegalPhrase: {reason}")


def bent(*notes: Note, **limits: object) -> list[Note]:
    return list(constrain(Phrase.of(notes, 0, 960), Constraints(**limits)).notes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pitch", "low", "high", "out"),
    [(60, 0, 127, 60), (47, 48, 72, 59), (20, 48, 72, 56), (73, 48, 72, 61), (100, 48, 72, 64), (66, 60, 64, 60)],
)
def test_pitches_move_by_octaves_into_the_range(pitch: int, low: int, high: int, out: int) -> None:
    assert bent(Note(0, pitch, 10, 80), low_pitch=low, high_pitch=high) == [Note(0, out, 10, 80)]


def test_pitches_move_to_the_nearest_note_of_the_scale() -> None:
    pitches = [bent(Note(0, pitch, 10, 80), scale=C_MAJOR)[0].pitch for pitch in range(60, 72)]
    assert pitches == [60, 60, 62, 62, 64, 65, 65, 67, 67, 69, 69, 71]
    assert bent(Note(0, 61, 10, 80), scale=C_MAJOR, low_pitch=61, high_pitch=61)[0].pitch == 61, "the range comes first"


def test_notes_that_fall_together_are_made_one_or_end_each_other() -> None:
    twins = bent(Note(0, 60, 10, 80), Note(0, 61, 50, 70), scale=C_MAJOR)
    assert twins == [Note(0, 60, 50, 70)]
    overlapping = bent(Note(0, 60, 100, 80), Note(30, 61, 100, 70), scale=C_MAJOR)
    assert overlapping == [Note(0, 60, 30, 80), Note(30, 60, 100, 70)]


@pytest.mark.parametrize(
    ("honours", "out"), [(frozenset(), 48), (frozenset({"range"}), 72), (frozenset({"range", "scale"}), 72)]
)
def test_what_the_generator_honours_itself_is_left_alone(honours: frozenset[Constraint], out: int) -> None:
    player = Player(GeneratorInfo("toy", "a toy", honours=honours), Toy(echo))
    limits = Constraints(40, 50, frozenset({0}))
    (reply,) = player.perform([prime(0, 0), extend(0, constraints=limits)])
    assert isinstance(reply, Continuation)
    assert [note.pitch for note in reply.phrase.notes] == [out]


notes = st.builds(Note, st.integers(0, 959), st.integers(0, 127), st.integers(1, 999), st.integers(1, 127))
limits = st.builds(
    Constraints,
    st.integers(0, 60),
    st.integers(60, 127),
    st.sampled_from([None, C_MAJOR, frozenset({3}), frozenset(range(12))]),
)


@given(st.lists(notes, max_size=12), limits)
def test_whatever_was_composed_comes_out_legal_and_inside(composed: list[Note], constraints: Constraints) -> None:
    phrase = constrain(Phrase.of(composed, 0, 960), constraints)
    assert check_phrase(phrase, Request(0, 960)) == phrase
    ends: dict[int, int] = {}
    for note in phrase.notes:
        assert constraints.low_pitch <= note.pitch <= constraints.high_pitch
        assert note.start_ticks >= ends.get(note.pitch, 0), "two notes of one pitch at once"
        ends[note.pitch] = note.end_ticks or 0
    assert {note.start_ticks for note in phrase.notes} == {note.start_ticks for note in composed}


def test_a_generator_is_told_the_key_and_the_pulse_of_what_was_heard() -> None:
    toy = Toy(echo)
    player = Player(INFO, toy)
    scale = (60, 62, 64, 65, 67, 69, 71, 72)
    heard = tuple(Note(260 * number, pitch, 200, 80) for number, pitch in enumerate(scale))
    player.perform([Prime(0, "main", 1, 0, heard, 2080), Extend(0, "main", 1, 0, Request(2080, 480))])
    (asked,) = toy.requests
    assert asked.key is not None
    assert asked.key.tonic == 0
    assert asked.pulse is not None
    assert asked.pulse.beat_ticks == pytest.approx(520, rel=0.01)
    player.perform([Prime(0, "main", 2, 1, (), 300), Extend(0, "main", 2, 0, Request(300, 480))])
    assert (toy.requests[-1].key, toy.requests[-1].pulse) == (None, None)
