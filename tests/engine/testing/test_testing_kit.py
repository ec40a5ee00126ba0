"""The kit is judged by the bad generators it catches: one for each rule, and a good one that it lets pass."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import testing
from antiphon.generator import Casting, Constraint, Control, GeneratorInfo, Request
from antiphon.music.clock import ManualClock
from antiphon.music.messages import control_change, note_off, note_on
from antiphon.notes import Note, Phrase, score_order
from antiphon.output import PortGone
from antiphon.testing import BrokenRule, RecordingOutput, SentNote, check_generator, sample_phrases, streamed
from antiphon.testing.advice import ADVICE

INFO = GeneratorInfo(
    name="walker",
    summary="Walks the keyboard, a note a beat.",
    controls=(Control("leap", 1, 12, 5, "wider leaps"), Control("loud", 1, 127, 64, "louder")),
    honours=frozenset({"range", "scale", "polyphony"}),
)
FEW = {name: sample_phrases()[name] for name in ("nothing", "melody", "held")}


class Walker:
    """Keeps every rule: what it plays follows from the seed, the place in the music and the note before."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.known: list[Note] = []

    def prime(self, heard: Phrase) -> None:
        self.known = list(heard.notes)

    def rewind(self, to_ticks: int) -> None:
        self.known = [note for note in self.known if note.start_ticks < to_ticks]

    def extend(self, request: Request) -> Phrase:
        notes: list[Note] = []
        for ticks in range(-(-request.start_ticks // 480) * 480, request.end_ticks, 480):
            pitch = self.step(ticks, request)
            if pitch is not None:
                notes.append(Note(ticks, pitch, 240, round(request.controls["loud"])))
                self.known.append(notes[-1])
        return Phrase(request.start_ticks, request.end_ticks, tuple(notes))

    def step(self, ticks: int, request: Request) -> int | None:
        limits = request.constraints
        free = [
            p for p in range(limits.low_pitch, limits.high_pitch + 1) if limits.scale is None or p % 12 in limits.scale
        ]
        here = self.known[-1].pitch if self.known else 60
        here += round(self.chance(ticks, here) * request.controls["leap"])
        return min(free, key=lambda pitch: abs(pitch - here), default=None)

    def chance(self, ticks: int, here: int) -> float:
        return random.Random(f"{self.seed} {ticks} {here} {len(self.known)}").uniform(-1, 1)


def judge(
    bad: Callable[[int], object],
    info: GeneratorInfo = INFO,
    phrases: Mapping[str, Phrase] = FEW,
    deadline_seconds: float | None = None,
    allowance: float = 100,
) -> str:
    """What the kit says against generators that `bad` makes from a seed."""
    with pytest.raises(BrokenRule) as caught:
        check_generator(
            lambda casting: bad(casting.seed),  # type: ignore[arg-type,return-value] # bad on purpose
            info,
            phrases=phrases,
            deadline_seconds=deadline_seconds,
            allowance=allowance,
        )
    return str(caught.value)


def test_a_good_generator_passes_with_every_sample_phrase() -> None:
    report = check_generator(lambda casting: Walker(casting.seed), INFO, allowance=100)
    assert report.notes > 1000
    assert report.seeds_differ
    assert report.idle_controls == ()
    assert "every rule" not in str(report)
    assert str(report).startswith(f"{len(report.rules)} rules kept over {report.notes} notes")
    p50, p95, longest = report.extend_seconds
    assert 0 < p50 <= p95 <= longest


@pytest.mark.parametrize("method", ["prime", "extend", "rewind"])
def test_a_generator_that_raises_is_caught_by_method_and_reason(method: str) -> None:
    class Raises(Walker):
        pass

    def fail(self: Walker, _: object) -> None:
        raise RuntimeError("out of ideas")

    setattr(Raises, method, fail)
    assert f"{method} raised RuntimeError: out of ideas" in judge(Raises)


def test_a_make_that_raises_is_caught() -> None:
    def make(seed: int) -> Walker:
        raise FileNotFoundError("walker.onnx")

    assert "make raised FileNotFoundError: walker.onnx" in judge(make)


def test_a_generator_without_a_method_is_caught() -> None:
    class Stuck:
        def prime(self, heard: Phrase) -> None:
            pass

    assert "make returned Stuck, which has no extend and no rewind" in judge(lambda seed: Stuck())


class Shaped(Walker):
    """Returns what `shape` makes of a good phrase."""

    def __init__(self, seed: int, shape: Callable[[Phrase], object]) -> None:
        super().__init__(seed)
        self.shape = shape

    def extend(self, request: Request) -> Phrase:
        return self.shape(super().extend(request))  # type: ignore[return-value]


def each_note(**changes: object) -> Callable[[Phrase], Phrase]:
    return lambda phrase: replace(phrase, notes=tuple(replace(note, **changes) for note in phrase.notes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (lambda phrase: None, "extend returned NoneType; it must return a Phrase"),
        (lambda phrase: phrase.shifted(1), "phrase spans ticks 1 to 2; asked for 0 to 1"),
        (lambda phrase: replace(phrase, end_ticks=phrase.end_ticks + 1), "phrase spans ticks 0 to 2; asked for 0 to 1"),
        (lambda phrase: replace(phrase, notes=phrase.notes[::-1]), "out of order"),
        (each_note(pitch=128), "notes[0].pitch is 128; allowed: a whole number, 0 to 127"),
        (each_note(pitch=60.0), "notes[0].pitch is 60.0"),
        (each_note(velocity=0), "notes[0].velocity is 0; allowed: a whole number, 1 to 127"),
        (each_note(length_ticks=0), "notes[0].length_ticks is 0; allowed: a whole number, at least 1"),
        (each_note(length_ticks=None), "notes[0].length_ticks is None"),
        (each_note(start_ticks=-1), "notes[0].start_ticks is -1"),
    ],
)
def test_an_illegal_phrase_is_caught(shape: Callable[[Phrase], object], sentence: str) -> None:
    said = judge(lambda seed: Shaped(seed, shape))
    assert said.startswith("phrases are legal: ")
    assert sentence in said
    assert "(phrase 'nothing', seed 0)" in said


def test_a_generator_that_counts_primes_is_not_the_same_streamed_as_whole() -> None:
    class Appends(Walker):
        def prime(self, heard: Phrase) -> None:
            self.known += heard.notes

    class Grows(Walker):
        """Keeps what it knows, and takes in only what lies beyond: a release or a late chord note escapes it."""

        def prime(self, heard: Phrase) -> None:
            self.known += heard.notes[len(self.known) :]

        def chance(self, ticks: int, here: int) -> float:
            return random.Random(f"{ticks} {self.known}").uniform(-1, 1)

    class NeverForgets(Walker):
        def prime(self, heard: Phrase) -> None:
            self.known = sorted({*self.known, *heard.notes}, key=score_order)
            self.known = [note for note in self.known if note.length_ticks is not None]

    melody = {"melody": sample_phrases()["melody"]}
    assert "streamed equals whole: primed note by note" in judge(Appends, phrases=melody)
    assert "streamed equals whole: primed note by note" in judge(Grows, phrases=melody)
    assert "streamed equals whole: primed with all, then without the first quarter" in judge(
        NeverForgets, phrases=melody
    )


def test_a_rewind_that_does_nothing_is_caught() -> None:
    class Stays(Walker):
        def rewind(self, to_ticks: int) -> None:
            pass

    assert "rewind then extend repeats exactly: rewound by a phrase, it differs" in judge(Stays)


def test_a_rewind_that_forgets_the_notes_but_not_the_dice_is_caught() -> None:
    class OneStream(Walker):
        def __init__(self, seed: int) -> None:
            super().__init__(seed)
            self.random = random.Random(seed)

        def prime(self, heard: Phrase) -> None:
            super().prime(heard)
            self.random = random.Random(self.seed)

        def chance(self, ticks: int, here: int) -> float:
            return self.random.uniform(-1, 1)

    assert "rewind then extend repeats exactly: rewound by a phrase, it differs" in judge(OneStream)


def test_a_rewind_that_stops_at_what_was_heard_is_caught() -> None:
    class OnlyItsOwn(Walker):
        def prime(self, heard: Phrase) -> None:
            super().prime(heard)
            self.heard_end_ticks = heard.end_ticks

        def rewind(self, to_ticks: int) -> None:
            super().rewind(max(to_ticks, self.heard_end_ticks))

    assert "of what was heard, it differs" in judge(OnlyItsOwn)


def test_a_guess_that_leaves_a_trace_is_caught() -> None:
    class Remembers(Walker):
        """Counts the phrases it made by where they ended, and `prime` forgets to forget them."""

        def __init__(self, seed: int) -> None:
            super().__init__(seed)
            self.ends: list[int] = []

        def rewind(self, to_ticks: int) -> None:
            super().rewind(to_ticks)
            self.ends = [end for end in self.ends if end <= to_ticks and end > 0]

        def extend(self, request: Request) -> Phrase:
            phrase = super().extend(request)
            self.ends.append(request.end_ticks)
            return phrase

        def chance(self, ticks: int, here: int) -> float:
            return random.Random(f"{self.seed} {ticks} {here} {self.ends}").uniform(-1, 1)

    assert "a guess thrown away leaves no trace: after guesses" in judge(Remembers)


def test_dice_without_a_seed_and_shared_state_are_caught() -> None:
    class Unseeded(Walker):
        def chance(self, ticks: int, here: int) -> float:
            return random.uniform(-1, 1)

    class SeedsTheGlobal(Walker):
        def __init__(self, seed: int) -> None:
            super().__init__(seed)
            random.seed(seed)

        def chance(self, ticks: int, here: int) -> float:
            return random.uniform(-1, 1)

    class Shares(Walker):
        everyone: ClassVar[list[Phrase]] = []

        def prime(self, heard: Phrase) -> None:
            super().prime(heard)
            self.everyone[:] = [heard]

        def chance(self, ticks: int, here: int) -> float:
            return random.Random(f"{ticks} {self.everyone}").uniform(-1, 1)

    for bad in (Unseeded, SeedsTheGlobal, Shares):
        assert "the seed decides, and instances share nothing: beside another instance" in judge(bad)


@pytest.mark.parametrize("value", [1, 12])
def test_a_control_that_fails_at_an_extreme_is_caught(value: int) -> None:
    class Fragile(Walker):
        def step(self, ticks: int, request: Request) -> int | None:
            return super().step(ticks, request) if request.controls["leap"] != value else 1 // 0

    assert "controls work at their extremes: extend raised ZeroDivisionError" in judge(Fragile)


def test_a_control_that_does_nothing_and_a_seed_that_does_nothing_are_reported() -> None:
    class Even(Walker):
        def chance(self, ticks: int, here: int) -> float:
            return 0.0

    report = check_generator(lambda casting: Even(casting.seed), INFO, phrases=FEW, allowance=100)
    assert report.idle_controls == ("leap",)
    assert not report.seeds_differ


class Careless(Walker):
    """Plays three notes at a time wherever it likes."""

    def extend(self, request: Request) -> Phrase:
        free = super().extend(replace(request, constraints=Request(0, 1).constraints))
        chords = [replace(note, pitch=(note.pitch + up) % 128) for note in free.notes for up in (0, 4, 7)]
        return Phrase.of(chords, request.start_ticks, request.end_ticks)


@pytest.mark.parametrize(
    ("constraint", "sentence"),
    [
        ("range", "where 60 to 71 is allowed"),
        ("scale", "where the pitch classes [0, 2, 4, 5, 7, 9, 11] are allowed"),
        ("polyphony", "sounds 3 notes at tick 0 where 1 may sound"),
    ],
)
def test_a_constraint_that_is_only_claimed_is_caught(constraint: Constraint, sentence: str) -> None:
    said = judge(Careless, replace(INFO, honours=frozenset({constraint})))
    assert said.startswith(f"constraints it claims are kept: it says it honours {constraint!r}, but ")
    assert sentence in said


def test_a_generator_that_claims_no_constraint_may_ignore_them() -> None:
    info = replace(INFO, honours=frozenset())
    assert check_generator(lambda casting: Careless(casting.seed), info, phrases=FEW, allowance=100).notes


def test_notes_that_ring_into_the_next_phrase_count_as_polyphony() -> None:
    class Rings(Walker):
        """One note a phrase, which sounds longer than the phrase."""

        def extend(self, request: Request) -> Phrase:
            phrase = super().extend(request)
            return replace(phrase, notes=tuple(replace(note, length_ticks=2000) for note in phrase.notes[:1]))

    said = judge(Rings, replace(INFO, honours=frozenset({"polyphony"})))
    assert "sounds 2 notes at tick 1920 where 1 may sound" in said


def test_a_generator_that_is_late_is_caught() -> None:
    assert "a bar is ready in time: " in judge(Walker, deadline_seconds=1e-9)
    assert "the deadline allows 1e-06 ms" in judge(Walker, deadline_seconds=1e-9)
    assert "the quick class allows 5e-05 ms" in judge(Walker, allowance=1e-6)


def test_a_generator_that_plays_nothing_is_caught() -> None:
    said = judge(lambda seed: Shaped(seed, lambda phrase: replace(phrase, notes=())))
    assert said.startswith("it plays: no phrase that was asked for had a note in it\n")


def test_an_invalid_declaration_is_caught() -> None:
    assert judge(Walker, replace(INFO, name="The Walker")).startswith(
        "the declaration is valid: generator 'The Walker'"
    )


def test_listening_that_slows_down_with_the_length_of_the_call_is_reported() -> None:
    class Recounts(Walker):
        def prime(self, heard: Phrase) -> None:
            self.known = [replace(note) for note in heard.notes]

    def growth(kind: type[Walker]) -> float:
        return check_generator(lambda c: kind(c.seed), INFO, phrases=FEW, allowance=100).prime_growth

    assert growth(Recounts) > 10


# ---- phrases -----------------------------------------------------------------------------------------------------


def test_sample_phrases_are_legal_and_reach_from_silence_to_4096_notes() -> None:
    samples = sample_phrases()
    assert {0, 1, 4096} <= {len(phrase.notes) for phrase in samples.values()}
    assert any(note.length_ticks is None for note in samples["held"].notes)
    for phrase in samples.values():
        assert list(phrase.notes) == sorted(phrase.notes, key=score_order)
        for note in phrase.notes:
            assert phrase.start_ticks <= note.start_ticks < phrase.end_ticks
            assert 0 <= note.pitch <= 127
            assert 1 <= note.velocity <= 127
            assert note.length_ticks is None or note.length_ticks >= 1


NOTES = st.builds(
    Note, st.integers(0, 300), st.integers(40, 50), st.one_of(st.none(), st.integers(1, 200)), st.integers(1, 127)
)


@given(st.lists(NOTES, max_size=12))
def test_a_phrase_streamed_grows_event_by_event_into_itself(notes: list[Note]) -> None:
    phrase = Phrase.of(notes, 0, 600)
    before = Phrase(0, 0)
    for part in streamed(phrase):
        assert list(part.notes) == sorted(part.notes, key=score_order)
        assert part.end_ticks >= before.end_ticks
        assert all(note.start_ticks < part.end_ticks for note in part.notes)
        assert all(note.end_ticks is None or note.end_ticks <= part.end_ticks for note in part.notes)
        assert len(part.notes) - len(before.notes) in (0, 1)
        before = part
    assert before == phrase


def test_a_phrase_streamed_has_one_part_for_each_key_press_and_release() -> None:
    low, high = Note(0, 60, 10, 80), Note(0, 64, None, 80)
    held = replace(low, length_ticks=None)
    assert list(streamed(Phrase.of([low, high], 0, 20))) == [
        Phrase(0, 1, (high,)),
        Phrase(0, 1, (held, high)),
        Phrase(0, 10, (low, high)),
        Phrase(0, 20, (low, high)),
    ]


# ---- outputs -----------------------------------------------------------------------------------------------------


def test_a_recording_output_pairs_note_ons_with_note_offs() -> None:
    output = RecordingOutput()
    output.send(note_on(0, 60, 100), 1.0)
    output.send(note_on(1, 60, 90), 1.5)
    output.send(control_change(0, 64, 127), 1.6)
    output.send(note_off(0, 60), 2.0)
    assert output.notes() == [SentNote(0, 60, 100, 1.0, 2.0), SentNote(1, 60, 90, 1.5, None)]
    assert output.hanging() == [SentNote(1, 60, 90, 1.5, None)]
    output.send(note_on(1, 60, 0), 3.0)
    assert output.hanging() == []


def test_a_pitch_struck_twice_hangs_until_its_second_note_off() -> None:
    output = RecordingOutput()
    for message in (note_on(0, 60, 1), note_on(0, 60, 2), note_off(0, 60)):
        output.send(message)
    assert [note.velocity for note in output.hanging()] == [2]
    output.send(control_change(0, 123, 0))
    assert len(output.hanging()) == 1


def test_a_message_without_a_time_is_due_when_the_clock_says() -> None:
    clock = ManualClock(7.0)
    output = RecordingOutput("desk", clock)
    output.send(note_on(0, 60, 1))
    clock.advance(1)
    output.send(note_off(0, 60))
    assert output.notes() == [SentNote(0, 60, 1, 7.0, 8.0)]
    assert output.name == "desk"


def test_nothing_can_be_sent_after_close() -> None:
    output = RecordingOutput()
    output.close()
    with pytest.raises(PortGone, match=r"output 'recording' is closed; 90 3c 01"):
        output.send(note_on(0, 60, 1))


def test_everything_public_is_there() -> None:
    assert all(hasattr(testing, name) for name in testing.__all__)
    assert testing.ManualClock is ManualClock
    assert Casting(seed=1).model is None


def test_every_rule_comes_with_its_likely_cause_and_what_mends_it() -> None:
    report = check_generator(lambda casting: Walker(casting.seed), INFO, phrases=FEW, allowance=100)
    assert {*report.rules, "it plays", "a bar is ready in time"} <= ADVICE.keys()

    class RunsOn(Walker):
        """A stream of its own that nothing takes back."""

        def __init__(self, seed: int) -> None:
            super().__init__(seed)
            self.dice = random.Random(seed)

        def chance(self, ticks: int, here: int) -> float:
            return self.dice.uniform(-1, 1)

    rule, cause, mend = judge(RunsOn).split("\n")
    assert rule.startswith("rewind then extend repeats exactly: ")
    assert cause == "  likely cause: a random stream or state that runs on"
    assert mend.startswith("  mend: draw from the place in the music, as in random.Random(")
    assert "StatefulGenerator" in mend


def test_an_exception_is_not_blamed_on_the_rule_that_was_being_tried() -> None:
    class Raises(Walker):
        def prime(self, heard: Phrase) -> None:
            raise IndexError(len(heard.notes))

    said = judge(Raises)
    assert "likely cause: an exception in your own code" in said
    assert "state that runs on" not in said


def test_silence_and_slowness_have_their_advice_too() -> None:
    class Mute(Walker):
        def extend(self, request: Request) -> Phrase:
            return Phrase(request.start_ticks, request.end_ticks)

    assert "mend: let it play something" in judge(Mute)
    assert 'declare a slower class, as in latency="heavy"' in judge(Walker, deadline_seconds=0.0)
