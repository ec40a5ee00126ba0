"""The kit on what a generator claims beyond the basic rules: parts, gaps, morphs, and beats while it computes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from test_testing_kit import FEW, INFO, Walker

from antiphon.generator import SILENT_SECONDS, Casting, Gap, GeneratorInfo, MakeGenerator, Morph, Request
from antiphon.notes import Note, Phrase
from antiphon.testing import BrokenRule, Report, check_generator

FILLS = replace(INFO, fills=True, honours=frozenset())
BLENDS = replace(INFO, interpolates=True, honours=frozenset())


def check(make: MakeGenerator, info: GeneratorInfo, allowance: float = 100) -> Report:
    return check_generator(make, info, phrases=FEW, allowance=allowance)


def refused(bad: Callable[[int], Walker], info: GeneratorInfo, allowance: float = 100) -> str:
    with pytest.raises(BrokenRule) as caught:
        check(lambda casting: bad(casting.seed), info, allowance)
    return str(caught.value)


class Bridge(Walker):
    """Leads on to the first note after the gap."""

    def step(self, ticks: int, request: Request) -> int | None:
        if isinstance(request.given, Gap) and request.given.after.notes:
            return request.given.after.notes[0].pitch
        return super().step(ticks, request)


def test_who_fills_gaps_is_given_some_and_its_claim_is_on_the_report() -> None:
    assert "it fills a gap" in check(lambda casting: Bridge(casting.seed), FILLS).rules
    assert "it fills a gap" not in check(lambda casting: Walker(casting.seed), INFO).rules


def test_who_only_claims_to_fill_gaps_is_caught() -> None:
    what = "it fills a gap: what comes after a gap never made a difference to what was played in it"
    assert refused(Walker, FILLS).splitlines()[0] == what


def test_a_gap_is_closed_on_both_sides_and_the_bars_of_it_follow_one_another() -> None:
    gaps: list[tuple[Gap, Request]] = []

    class Looks(Bridge):
        def extend(self, request: Request) -> Phrase:
            if isinstance(request.given, Gap):
                gaps.append((request.given, request))
            return super().extend(request)

    check(lambda casting: Looks(casting.seed), FILLS)
    assert gaps
    for gap, request in gaps:
        assert gap.before.end_ticks <= request.start_ticks
        assert request.end_ticks <= gap.after.start_ticks
        assert all(note.length_ticks is not None for note in (*gap.before.notes, *gap.after.notes))
    assert {request.final for _, request in gaps} == {True, False}


def test_a_gap_that_is_not_filled_the_same_again_is_caught() -> None:
    class Counts(Bridge):
        asked = 0

        def step(self, ticks: int, request: Request) -> int | None:
            if isinstance(request.given, Gap):
                self.asked += 1
                return 40 + self.asked % 50
            return super().step(ticks, request)

    assert "it fills a gap: rewound, the first bar differs" in refused(Counts, FILLS)


def test_a_morph_without_an_end_that_is_not_survived_is_caught() -> None:
    class Needs(Walker):
        def step(self, ticks: int, request: Request) -> int | None:
            if isinstance(request.given, Morph):
                assert request.given.b is not None, "where to?"
            return super().step(ticks, request)

    said = refused(Needs, BLENDS)
    assert said.startswith("it plays between two pieces of music: extend raised AssertionError: where to?")
    assert "it plays between two pieces of music" in check(lambda casting: Walker(casting.seed), BLENDS).rules


def in_parts(parts: int) -> type[Walker]:
    class Parts(Walker):
        def extend(self, request: Request) -> Phrase:
            phrase = super().extend(request)
            notes = (replace(note, part=note.start_ticks // 480 % parts) for note in phrase.notes)
            return replace(phrase, notes=tuple(notes))

    return Parts


def test_a_part_that_was_not_declared_is_caught_and_one_that_is_silent_reported() -> None:
    info = replace(INFO, parts=("high", "low"), honours=frozenset())
    assert check(lambda casting: in_parts(2)(casting.seed), info).silent_parts == ()
    report = check(lambda casting: Walker(casting.seed), info)
    assert report.silent_parts == ("low",)
    assert "silent parts: low" in str(report)
    assert "part is 2; allowed: a whole number, 0 to 1" in refused(in_parts(3), info)


class Slow(Walker):
    """Takes long for a bar."""

    def __init__(self, casting: Casting, beats: bool) -> None:
        super().__init__(casting.seed)
        self.beat = casting.beat if beats else lambda: None

    def extend(self, request: Request) -> Phrase:
        for _ in range(3):
            time.sleep(0.02)
            self.beat()
        return super().extend(request)


def test_how_long_it_computes_without_a_beat_is_measured_and_held_to_the_limit() -> None:
    tight = 0.03 / SILENT_SECONDS  # So that the test need not take seconds.
    one = {"single note": FEW["nothing"]}
    with pytest.raises(
        BrokenRule, match=r"it is not taken for hung: it computed for .* s without a beat; allowed: 1\.5 s"
    ):
        check_generator(
            lambda casting: Slow(casting, beats=False), INFO, phrases=one, deadline_seconds=60, allowance=tight
        )
    report = check_generator(lambda casting: Slow(casting, beats=True), INFO, phrases=one, allowance=100)
    assert report.silent_seconds >= 0.02
    assert "it is not taken for hung" in report.rules


def test_notes_of_one_pitch_in_two_parts_are_legal() -> None:
    class Unison(Walker):
        def extend(self, request: Request) -> Phrase:
            start = request.start_ticks
            notes = tuple(Note(start, 60, 100, 80, part=part) for part in (0, 1))
            return Phrase(start, request.end_ticks, notes)

    check(lambda casting: Unison(casting.seed), GeneratorInfo("unison", "one pitch", parts=("a", "b")))
