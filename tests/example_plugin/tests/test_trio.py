"""The rules every generator keeps, and how three enter one after another."""

from antiphon_canon.trio import INFO, make

from antiphon import Casting, Note, Phrase, Request
from antiphon.testing import Stage, check_generator


def test_the_trio_keeps_the_rules_and_every_part_plays() -> None:
    report = check_generator(make, INFO)
    assert not report.idle_controls
    assert not report.silent_parts


def test_one_enters_after_another_each_in_a_part_of_its_own() -> None:
    trio = make(Casting(seed=0))
    trio.prime(Phrase.of([Note(0, 60, 400, 80)], end_ticks=1920))
    answer = trio.extend(Request(1920, 1920, {"entry": 1, "bars": 1}))
    assert answer.notes == (
        Note(1920, 72, 400, 80, part=0),
        Note(2400, 60, 400, 80, part=1),
        Note(2880, 48, 400, 80, part=2),
    )


PRESET = """
outputs = ["virtual"]
[[voice]]
generator = "canon-trio"
controls = { entry = 1, bars = 1 }
[voice.parts.high]
channel = 3
program = 74
[voice.parts.low]
channel = 4
program = 33
"""


def test_on_a_stage_each_part_has_its_channel_and_a_key_silences_all_three() -> None:
    stage = Stage(make, INFO, PRESET)
    stage.play(Phrase.of([Note(0, 60, 440, 80), Note(480, 64, 440, 80), Note(960, 67, 440, 80)]))
    stage.wait(3)
    assert not stage.trouble
    assert {note.part for note in stage.notes()} == {0, 1, 2}
    stage.press(50)
    stage.wait(1)
    stage.release(50)
    stage.end()
    output = stage.outputs["virtual"]
    assert not output.hanging()
    assert {note.channel for note in output.notes()} == {0, 1, 2, 3}
    assert {note.pitch for note in output.notes() if note.channel == 2} == {72, 76, 79}
