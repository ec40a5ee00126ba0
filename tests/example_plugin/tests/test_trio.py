"""The rules every generator keeps, and how three enter one after another."""

from antiphon_canon.trio import INFO, make

from antiphon import Casting, Note, Phrase, Request
from antiphon.testing import check_generator


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
