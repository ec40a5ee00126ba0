"""Who must be there for a set of presets."""

from antiphon.duet.casting import Cast, Role
from antiphon.duet.plan import Plan, VoicePlan
from antiphon.generator import Casting
from antiphon.music.timing import TimeSignature

LEAD, BASS = VoicePlan("lstm", model="a.onnx", fallback="markov"), VoicePlan("markov", fallback="markov")


def test_every_voice_has_a_player_and_one_that_stands_in() -> None:
    cast = Cast([Plan(voices=(LEAD, BASS), seed=5)])
    assert cast.roles == [
        Role("main", "lstm", Casting(5, "a.onnx")),
        Role("fallback", "markov", Casting(5)),
        Role("main", "markov", Casting(6)),
        Role("fallback", "markov", Casting(6)),
    ]
    assert [cast.slot(0, voice, chair) for voice in (0, 1) for chair in ("main", "fallback")] == [0, 1, 2, 3]


def test_presets_that_agree_share_a_player() -> None:
    cast = Cast([Plan(voices=(LEAD,)), Plan(voices=(LEAD, BASS)), Plan(voices=(LEAD,), seed=1)])
    assert cast.slot(0, 0, "main") == cast.slot(1, 0, "main") != cast.slot(2, 0, "main")
    # The second voice of a plan with seed 0 and the first of one with seed 1 want the same stand-in.
    assert cast.slot(1, 1, "fallback") == cast.slot(2, 0, "fallback")


def test_tempo_and_metre_need_no_other_player() -> None:
    waltz = Plan(voices=(LEAD,), tempo_bpm=90.0, signature=TimeSignature(3, 4))
    assert len(Cast([Plan(voices=(LEAD,)), waltz]).roles) == 2


def test_a_slot_knows_which_voices_it_plays_for() -> None:
    cast = Cast([Plan(voices=(LEAD, BASS)), Plan(voices=(BASS,))])
    assert cast.seats(0, cast.slot(0, 1, "main")) == [(1, "main")]
    assert cast.seats(1, cast.slot(0, 1, "main")) == []
    assert cast.seats(1, cast.slot(0, 0, "fallback")) == [(0, "fallback")]
