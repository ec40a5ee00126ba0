"""The rules every generator keeps, and where a bridge leads."""

from antiphon_canon.bridge import INFO, make

from antiphon import Casting, Gap, Note, Phrase, Request
from antiphon.testing import check_generator

BEFORE = Phrase.of([Note(0, 60, 480, 60)])
AFTER = Phrase.of([Note(2400, 65, 480, 110)])


def test_the_bridge_keeps_the_rules() -> None:
    assert "it fills a gap" in check_generator(make, INFO).rules


def test_it_leads_from_the_one_edge_to_the_other() -> None:
    bridge = make(Casting(seed=0))
    bridge.prime(BEFORE)
    filled = bridge.extend(Request(480, 1920, given=Gap(BEFORE, AFTER)))
    assert [(note.pitch, note.velocity) for note in filled.notes] == [(61, 70), (62, 80), (63, 90), (64, 100)]


def test_a_gap_that_is_asked_for_in_two_halves_is_filled_as_in_one() -> None:
    bridge = make(Casting(seed=0))
    bridge.prime(BEFORE)
    halves = [bridge.extend(Request(start, 960, given=Gap(BEFORE, AFTER))) for start in (480, 1440)]
    whole = bridge.extend(Request(480, 1920, given=Gap(BEFORE, AFTER)))
    assert (*halves[0].notes, *halves[1].notes) == whole.notes
