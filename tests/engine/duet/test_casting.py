"""Who must be there for a set of presets."""

from antiphon.duet.casting import PlayerNeeded, PlayerTable
from antiphon.duet.plan import Plan, VoicePlan
from antiphon.generator import Casting
from antiphon.music.timing import TimeSignature

LEAD, BASS = VoicePlan("lstm", model="a.onnx", fallback="markov"), VoicePlan("markov", fallback="markov")


def test_every_voice_has_a_player_and_one_that_stands_in() -> None:
    table = PlayerTable([Plan(voices=(LEAD, BASS), seed=5)])
    assert table.needed == [
        PlayerNeeded("main", "lstm", Casting(5, "a.onnx")),
        PlayerNeeded("fallback", "markov", Casting(5)),
        PlayerNeeded("main", "markov", Casting(6)),
        PlayerNeeded("fallback", "markov", Casting(6)),
    ]
    assert [table.slot(0, voice, chair) for voice in (0, 1) for chair in ("main", "fallback")] == [0, 1, 2, 3]


def test_presets_that_agree_share_a_player() -> None:
    table = PlayerTable([Plan(voices=(LEAD,)), Plan(voices=(LEAD, BASS)), Plan(voices=(LEAD,), seed=1)])
    assert table.slot(0, 0, "main") == table.slot(1, 0, "main") != table.slot(2, 0, "main")
    # The second voice of a plan with seed 0 and the first of one with seed 1 want the same stand-in.
    assert table.slot(1, 1, "fallback") == table.slot(2, 0, "fallback")


def test_tempo_and_metre_need_no_other_player() -> None:
    waltz = Plan(voices=(LEAD,), tempo_bpm=90.0, signature=TimeSignature(3, 4))
    assert len(PlayerTable([Plan(voices=(LEAD,)), waltz]).needed) == 2


def test_a_slot_knows_which_voices_it_plays_for() -> None:
    table = PlayerTable([Plan(voices=(LEAD, BASS)), Plan(voices=(BASS,))])
    assert table.seats(0, table.slot(0, 1, "main")) == [(1, "main")]
    assert table.seats(1, table.slot(0, 1, "main")) == []
    assert table.seats(1, table.slot(0, 0, "fallback")) == [(0, "fallback")]
