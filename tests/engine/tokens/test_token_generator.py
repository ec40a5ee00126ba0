"""A generator made of a codec and a model: the contract, and what it does with what the model says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby, pairwise
from statistics import mean
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from toy_models import BrokenModel, ToyModel

from antiphon.errors import AntiphonError
from antiphon.generator import Casting, Constraints, GeneratorInfo, Request, check_phrase
from antiphon.notes import Note, Phrase, score_order
from antiphon.testing import check_generator, sample_phrases, streamed
from antiphon.tokens.codec import Codec
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.controls import TOKEN_CONTROLS
from antiphon.tokens.generator import CodecFor, TokenGenerator
from antiphon.tokens.kinds import kinds_of

BAR = 1920
CODECS = ("performance", "grid")
PHRASES = sample_phrases()
INFO = GeneratorInfo(
    "toy", "a toy", TOKEN_CONTROLS, "heavy", "free", honours=frozenset({"range", "scale", "polyphony"})
)


@lru_cache
def trained(codec: str) -> ToyModel:
    """Its tables take a while to draw."""
    return ToyModel(codec_named(codec))


def toy(codec: str) -> ToyModel:
    """A model with the same tables that has been fed nothing."""
    return trained(codec).twin()


def codec_for(name: str) -> CodecFor:
    return partial(codec_named, name)


def player(codec: str = "performance", seed: int = 0, heard: Phrase | None = None) -> TokenGenerator:
    generator = TokenGenerator(seed, codec_for(codec), toy(codec), tells_velocity=codec != "grid")
    if heard is not None:
        generator.prime(heard)
    return generator


def request(start: int, length: int = BAR, constraints: Constraints | None = None, **controls: float) -> Request:
    return Request(start, length, INFO.resolve_controls(controls), constraints or Constraints())


def play(
    generator: TokenGenerator,
    start: int,
    lengths: list[int],
    constraints: Constraints | None = None,
    **controls: float,
) -> list[Note]:
    """Phrase after phrase, each checked."""
    notes: list[Note] = []
    for length in lengths:
        asked = request(start, length, constraints, **controls)
        notes += check_phrase(generator.extend(asked), asked).notes
        start += length
    return notes


def onsets(notes: list[Note]) -> list[tuple[int, int, int]]:
    return [(note.start_ticks, note.pitch, note.velocity) for note in notes]


# ---- the contract ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("nothing", "melody"), ("single note", "extremes", "held")])
@pytest.mark.parametrize("codec", CODECS)
def test_it_keeps_every_rule_of_the_contract(codec: str, names: tuple[str, ...]) -> None:
    def make(casting: Casting) -> TokenGenerator:
        return player(codec, casting.seed)

    report = check_generator(make, INFO, phrases={name: PHRASES[name] for name in names}, allowance=100)
    assert report.seeds_differ
    assert set(report.idle_controls) <= {"repetition", "top_k"}


@pytest.mark.parametrize("codec", CODECS)
def test_a_long_call_told_note_by_note_is_known_as_though_told_at_once(codec: str) -> None:
    heard = PHRASES["long"]
    heard = Phrase(0, heard.notes[400].start_ticks, heard.notes[:400])
    whole, piecewise = player(codec, heard=heard), player(codec)
    for index, part in enumerate(streamed(heard)):
        if index > 500 or index % 40 == 0:
            piecewise.prime(part)
    assert piecewise.extend(request(heard.end_ticks)) == whole.extend(request(heard.end_ticks))


def test_an_event_costs_no_more_after_a_long_call() -> None:
    heard = PHRASES["long"]
    model = toy("performance")
    generator = TokenGenerator(0, codec_for("performance"), model)
    costs = []
    for count in (300, 4000):
        generator.prime(Phrase(0, heard.notes[count - 1].start_ticks + 1, heard.notes[:count]))
        model.runs.clear()
        for more in range(1, 41):
            generator.prime(Phrase(0, heard.notes[count + more - 1].start_ticks + 1, heard.notes[: count + more]))
        costs.append(sum(model.runs) / 40)
    assert max(costs) < 14
    assert costs[1] == pytest.approx(costs[0], rel=0.3)


def test_the_last_notes_are_read_anew_as_a_call_begins() -> None:
    notes = [Note(240 * index + 960 * (index // 50), 50 + index % 30, 200, 80) for index in range(700)]
    model = toy("performance")
    generator = TokenGenerator(0, codec_for("performance"), model)
    anew = []
    for count in range(1, 701):
        model.runs.clear()
        generator.prime(Phrase(0, notes[count - 1].start_ticks + 1, tuple(notes[:count])))
        if sum(model.runs) > 200:
            anew.append(count)
    assert anew == [301, 401, 551, 651], "the first notes of calls"


@pytest.mark.parametrize("codec", CODECS)
@settings(max_examples=12, deadline=None)
@given(lengths=st.lists(st.sampled_from((1, 113, 480, 1000, BAR)), min_size=1, max_size=6), seed=st.integers(0, 3))
def test_where_it_is_cut_into_phrases_changes_no_onset(codec: str, lengths: list[int], seed: int) -> None:
    heard = PHRASES["melody"]
    cut = play(player(codec, seed, heard), heard.end_ticks, lengths)
    whole = play(player(codec, seed, heard), heard.end_ticks, [sum(lengths)])
    assert onsets(cut) == onsets(whole)


@pytest.mark.parametrize("codec", CODECS)
def test_it_goes_on_for_a_long_time_and_goes_back_exactly(codec: str) -> None:
    heard = PHRASES["melody"]
    generator = player(codec, heard=heard)
    start = heard.end_ticks
    phrases = []
    for bar in range(120):
        phrases.append(generator.extend(request(start + bar * BAR)))
    assert all(phrase.notes for phrase in phrases)
    assert len(generator._passages) > 1, "it has read its own music anew"
    for back in (1, 3, 30):
        generator.rewind(start + (120 - back) * BAR)
        again = [generator.extend(request(start + bar * BAR)) for bar in range(120 - back, 120)]
        assert again == phrases[120 - back :]
    generator.rewind(start)
    assert generator.extend(request(start)) == phrases[0]


def test_what_it_keeps_of_its_own_music_is_bounded() -> None:
    generator = player("grid", heard=PHRASES["melody"])
    for bar in range(400):
        generator.extend(request(5760 + bar * BAR, density=1.0))
    assert len(generator._passages) <= 16
    assert all(len(passage.boundaries) <= 16 and len(passage.known) < 256 for passage in generator._passages)
    assert sum(len(passage.notes) for passage in generator._passages) < 16 * 1024


@pytest.mark.parametrize("codec", CODECS)
def test_a_change_of_tempo_or_metre_is_followed(codec: str) -> None:
    heard = PHRASES["melody"]
    generator = player(codec, heard=heard)
    first = generator.extend(request(heard.end_ticks))
    slower = replace(request(first.end_ticks), tempo_bpm=75.0, bar_ticks=1440)
    second = check_phrase(generator.extend(slower), slower)
    again = generator.extend(request(second.end_ticks))
    for to_ticks, phrase, asked in (
        (second.end_ticks, again, request(second.end_ticks)),
        (first.end_ticks, second, slower),
        (heard.end_ticks, first, request(heard.end_ticks)),
    ):
        generator.rewind(to_ticks)
        assert generator.extend(asked) == phrase
    if codec == "performance":
        assert all(abs(note.start_ticks / 6 - round(note.start_ticks / 6)) < 1e-9 for note in second.notes)
    fresh = player(codec, heard=heard)
    fresh.extend(replace(request(0), tempo_bpm=75.0))
    fresh.prime(heard)
    assert fresh.extend(request(heard.end_ticks)) == first, "what tempo was asked for before leaves no trace"


def test_rewound_within_a_phrase_it_goes_on_from_there() -> None:
    generator = player(heard=PHRASES["melody"])
    whole = generator.extend(request(5760, 2 * BAR))
    generator.rewind(5760 + 700)
    after = generator.extend(request(5760 + 700, 2 * BAR - 700))
    assert onsets(list(after.notes)) == [onset for onset in onsets(list(whole.notes)) if onset[0] >= 5760 + 700]


def test_a_failing_model_raises_and_leaves_nothing_behind() -> None:
    heard = PHRASES["melody"]
    model = BrokenModel(codec_named("performance"), after=100)
    generator = TokenGenerator(0, codec_for("performance"), model)
    generator.prime(heard)
    first = generator.extend(request(heard.end_ticks, 120))
    with pytest.raises(ValueError, match="the model is damaged"):
        generator.extend(request(first.end_ticks, 4 * BAR))
    with pytest.raises(ValueError, match="the model is damaged"):
        generator.extend(request(first.end_ticks, 4 * BAR))
    generator.prime(heard)
    assert generator.extend(request(heard.end_ticks, 120)) == first


def test_the_author_of_another_codec_says_what_its_tokens_do() -> None:
    @dataclass
    class Own:
        """Performance tokens by another name."""

        name: str = "own"
        vocabulary: int = 388

        def __getattr__(self, name: str) -> object:
            return getattr(codec_named("performance"), name)

    def own(*, tempo_bpm: float, bar_ticks: int) -> Codec:
        return cast(Codec, Own())

    with pytest.raises(AntiphonError, match="the codec 'own' says nothing of its tokens; give its TokenKinds"):
        TokenGenerator(0, own, toy("performance"))
    kinds = kinds_of(codec_named("performance"))
    generator = TokenGenerator(0, own, toy("performance"), kinds_for=lambda codec: kinds)
    generator.prime(PHRASES["melody"])
    assert generator.extend(request(5760)) == player(heard=PHRASES["melody"]).extend(request(5760))


# ---- music -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", CODECS)
def test_it_plays_from_nothing(codec: str) -> None:
    notes = play(player(codec, heard=Phrase(0, 0)), 0, [480, BAR, BAR])
    assert len(notes) > 3
    assert notes[0].start_ticks <= 2 * BAR


class Monotonous(ToyModel):
    """Wants one token above all others."""

    def __init__(self, codec: str, token: int) -> None:
        super().__init__(codec_named(codec))
        self._wanted = token

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = super().feed(tokens) * np.float32(0.1)
        logits[self._wanted] += 30
        return logits


@pytest.mark.parametrize(("codec", "token"), [("performance", 355), ("grid", 1 + 16)])
def test_it_never_falls_silent_for_long(codec: str, token: int) -> None:
    generator = TokenGenerator(0, codec_for(codec), Monotonous(codec, token))
    generator.prime(PHRASES["melody"])
    notes = play(generator, 5760, [480, *[BAR] * 12])
    starts = [5760, *(note.start_ticks for note in notes)]
    assert max(after - before for before, after in pairwise(starts)) <= 2 * BAR


def test_somebody_without_a_note_to_play_waits() -> None:
    generator = player(heard=PHRASES["melody"])
    assert (
        play(generator, 5760, [480, *[BAR] * 8], Constraints(low_pitch=60, high_pitch=60, scale=frozenset({1}))) == []
    )


class Looping(ToyModel):
    """Wants the same note again and again, in eighths."""

    def feed(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = super().feed(tokens)
        last = int(tokens[-1])
        if self.card.codec == "performance":
            wanted = {60: 256 + 24, 256 + 24: 128 + 60, 128 + 60: 60}.get(last, 60)
        elif last == 0:
            wanted = 1
        elif last < 33:
            wanted = 0 if last == 17 else 33 + 39
        elif last < 121:
            wanted = 121 + 1
        else:
            wanted = min(17, 2 + next(token for token in reversed(self._tokens) if 1 <= token < 33))
        logits[wanted] += 12
        return logits


@pytest.mark.parametrize("codec", CODECS)
def test_it_does_not_hammer_one_key(codec: str) -> None:
    longest = {}
    for repetition in (0.0, 0.5, 1.0):
        generator = TokenGenerator(0, codec_for(codec), Looping(codec_named(codec)))
        generator.prime(PHRASES["melody"])
        pitches = [note.pitch for note in play(generator, 5760, [BAR] * 8, repetition=repetition)]
        longest[repetition] = max(len(list(run)) for _, run in groupby(pitches))
    assert longest[0.0] < longest[0.5] < longest[1.0]
    assert longest[0.5] <= 16


@pytest.mark.parametrize("codec", CODECS)
def test_no_more_than_sixteen_notes_begin_within_a_beat(codec: str) -> None:
    notes = play(player(codec, heard=PHRASES["dense"]), 1020, [BAR] * 4, density=1.0)
    assert notes
    for first, seventeenth in zip(notes, notes[16:], strict=False):
        assert seventeenth.start_ticks - first.start_ticks >= 480


@pytest.mark.parametrize("codec", CODECS)
def test_density_leaves_room_or_fills_it(codec: str) -> None:
    counts = [len(play(player(codec, heard=PHRASES["melody"]), 5760, [BAR] * 16, density=d)) for d in (0.0, 0.5, 1.0)]
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("polyphony", [1, 2, 5])
def test_when_no_hand_is_free_older_notes_give_way(polyphony: int) -> None:
    limits = Constraints(polyphony=polyphony)
    free, limited = (play(player(heard=PHRASES["melody"]), 5760, [BAR] * 8, each) for each in (Constraints(), limits))
    starts = [note.start_ticks for note in limited]
    assert len(limited) > len(free) / 5
    assert max(after - before for before, after in pairwise(starts)) < BAR
    for note in limited:
        sounding = [n for n in limited if n.start_ticks <= note.start_ticks < (n.end_ticks or 0)]
        assert len(sounding) <= polyphony


@pytest.mark.parametrize("codec", CODECS)
def test_constraints_may_change_from_phrase_to_phrase(codec: str) -> None:
    generator = player(codec, heard=PHRASES["melody"])
    start = 5760
    for constraints in (
        Constraints(),
        Constraints(60, 72, frozenset({0, 2, 4, 5, 7, 9, 11})),
        Constraints(72, 84, polyphony=1),
        Constraints(72, 84, polyphony=1),
        Constraints(40, 59),
    ):
        asked = request(start, BAR, constraints)
        notes = check_phrase(generator.extend(asked), asked).notes
        assert all(constraints.low_pitch <= note.pitch <= constraints.high_pitch for note in notes)
        assert all(constraints.scale is None or note.pitch % 12 in constraints.scale for note in notes)
        start += BAR


def test_the_last_notes_of_an_answer_are_left_to_ring() -> None:
    for seed in range(8):
        generator = player(seed=seed, heard=PHRASES["melody"])
        play(generator, 5760, [480])
        final = replace(request(6240), final=True)
        notes = check_phrase(generator.extend(final), final).notes
        assert all(note.start_ticks < final.end_ticks - 240 for note in notes)
        assert all((note.end_ticks or 0) <= final.end_ticks or note.start_ticks < 6240 + BAR for note in notes)


def test_notes_that_ring_on_get_the_length_the_model_gives_them() -> None:
    for seed in range(3):
        notes = play(player(seed=seed, heard=PHRASES["melody"]), 5760, [480, BAR, BAR])
        whole = play(player(seed=seed, heard=PHRASES["melody"]), 5760, [8 * BAR])
        lengths = {(note.start_ticks, note.pitch): note.length_ticks for note in whole}
        right = sum(lengths[note.start_ticks, note.pitch] == note.length_ticks for note in notes)
        assert right >= len(notes) / 2


def test_a_grid_answer_is_as_loud_as_the_call() -> None:
    for velocity in (40, 100):
        heard = replace(PHRASES["melody"], notes=tuple(replace(n, velocity=velocity) for n in PHRASES["melody"].notes))
        notes = play(player("grid", heard=heard), 5760, [BAR] * 4)
        assert abs(mean(note.velocity for note in notes) - velocity) < 8
        assert len({note.velocity for note in notes}) > 3


def test_a_key_still_down_is_known_to_be_down() -> None:
    down = Phrase(0, 1001, (Note(0, 55, 400, 80), Note(1000, 60, None, 80)))
    up = Phrase(0, 1001, (Note(0, 55, 400, 80), Note(1000, 60, 1, 80)))
    held, lifted = (onsets(play(player(heard=heard), 1001, [BAR])) for heard in (down, up))
    assert held != lifted
    generator = player(heard=down)
    generator.extend(request(1001, 480))
    generator.rewind(1001)
    generator.prime(up)
    assert onsets(play(generator, 1001, [BAR])) == lifted


def test_notes_are_in_score_order() -> None:
    notes = play(player(heard=PHRASES["chords"]), PHRASES["chords"].end_ticks, [BAR] * 4)
    assert notes == sorted(notes, key=score_order)
