"""A stage for plugin authors: a whole performance with a generator that is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_testing_kit import INFO, Walker

from antiphon import AntiphonError, Note, Phrase, Request
from antiphon.testing import Stage

PRESET = """
outputs = ["virtual"]
tempo_bpm = 60
[[voice]]
generator = "walker"
channel = 5
controls = { leap = 12 }
handover = { by = "pedal" }
"""
CALL = Phrase.of([Note(0, 60, 400, 80), Note(480, 64, 400, 90)], end_ticks=960)


def perform(stage: Stage) -> Stage:
    stage.play(CALL)
    stage.turn(66, 127)
    stage.turn(66, 0)
    stage.wait(4)
    return stage


def walk(preset: str | Path = PRESET) -> Stage:
    return Stage(lambda casting: Walker(casting.seed), INFO, preset)


def test_a_call_is_answered_on_the_clock_of_the_preset() -> None:
    stage = perform(walk())
    assert stage.clock.now() == pytest.approx(2 + 4)
    assert stage.now_ticks == 960 + 4 * 480
    assert stage.notes()
    assert all(960 <= note.start_ticks < 1920 for note in stage.notes())
    assert stage.trouble == ()
    assert stage.decisions[0] == "handover: by pedal"
    stage.end()
    assert not stage.outputs["virtual"].hanging()
    assert {note.channel for note in stage.outputs["virtual"].notes()} == {0, 4}


def test_the_same_hands_get_the_same_answer() -> None:
    assert perform(walk()).notes() == perform(walk()).notes()


def test_without_a_preset_it_answers_by_silence() -> None:
    stage = walk("")
    stage.play(CALL)
    assert not stage.notes()
    stage.wait(3)
    assert stage.notes()
    assert set(stage.outputs) == {"virtual", "synth"}


def test_a_touch_ends_the_answer_and_a_note_that_sounds_has_no_length() -> None:
    stage = walk('[[voice]]\ngenerator = "walker"\nmode = "continue"\nhandover = { by = "pedal" }\n')
    stage.play(CALL)
    stage.turn(66, 127)
    stage.wait(4.1)
    assert stage.notes()[-1].length_ticks is None
    stage.press(50)
    before = stage.notes()
    assert before[-1].length_ticks is not None
    stage.wait(0.4)
    assert stage.notes() == before


def test_who_fails_is_stood_in_for_and_it_is_told_why() -> None:
    class Fails(Walker):
        def extend(self, request: Request) -> Phrase:
            raise RuntimeError("out of ideas")

    stage = perform(Stage(lambda casting: Fails(casting.seed), INFO, PRESET))
    assert stage.trouble == ("walker: RuntimeError: out of ideas; markov plays",)


def test_a_preset_may_be_a_file_and_its_mistakes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "walk.toml"
    path.write_text(PRESET)
    assert perform(walk(path)).notes() == perform(walk()).notes()
    with pytest.raises(AntiphonError, match=r"preset\.toml:2: tempo_bpm is 9; allowed"):
        walk(f"\ntempo_bpm = 9\n{PRESET.replace('tempo_bpm = 60', '')}")


def test_a_held_note_of_what_is_played_is_released_at_its_end() -> None:
    stage = walk()
    stage.play(Phrase(0, 480, (Note(0, 60, None, 80), Note(240, 64, 9999, 80))))
    assert stage.now_ticks == 480
    assert not [note for note in stage.outputs["virtual"].notes() if note.end_seconds is None]
