"""The rules every generator keeps, and what makes this one a canon."""

from antiphon_canon.canon import INFO, make

from antiphon import Casting, Note, Phrase, Request
from antiphon.testing import check_generator


def test_canon_keeps_the_rules() -> None:
    # The allowance is for a machine that does much else meanwhile.
    report = check_generator(make, INFO, allowance=100)
    assert not report.idle_controls


def test_the_call_comes_back_a_fifth_higher_and_upside_down() -> None:
    canon = make(Casting(seed=0))
    canon.prime(Phrase.of([Note(0, 60, 400, 80), Note(480, 64, 400, 90)], end_ticks=960))
    answer = canon.extend(Request(960, 960, {"interval": 7, "mirror": 1, "bars": 2}))
    assert answer.notes == (Note(960, 67, 400, 80), Note(1440, 63, 400, 90))
