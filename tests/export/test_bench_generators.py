"""The benchmark's generators play what the figures are computed from, and are found only while it runs."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from antiphon.generator import Request, check_phrase
from antiphon.notes import Phrase
from antiphon.plugins.host import load_plugins
from antiphon.testing import check_generator
from antiphon_export.bench.generators import BUSY, METRONOME, NOTE_TICKS, TEMPO_BPM, Busy, Metronome, enlist


def test_the_metronome_plays_fifty_notes_a_second_across_phrases() -> None:
    metronome = Metronome()
    starts = (1000, 1000 + 1920, 1000 + 2 * 1920)
    phrases = [metronome.extend(Request(start, 1920)) for start in starts]
    onsets = [note.start_ticks for phrase in phrases for note in phrase.notes]
    assert {later - earlier for earlier, later in itertools.pairwise(onsets)} == {NOTE_TICKS}
    assert TEMPO_BPM * 480 / 60 / NOTE_TICKS == 50


def test_the_metronome_keeps_the_rules_of_a_generator(tmp_path: Path) -> None:
    with enlist(tmp_path):
        registered = load_plugins().generator(METRONOME)
        check_generator(registered.make, registered.info)


def test_the_busy_one_answers_at_once_and_then_uses_up_its_time() -> None:
    busy = Busy()
    busy.prime(Phrase(0, 100, ()))
    first, second = Request(100, 480, deadline_seconds=1e9), Request(580, 480, deadline_seconds=0.002)
    assert check_phrase(busy.extend(first), first).notes  # With such a deadline, it would never return.
    assert check_phrase(busy.extend(second), second).notes


def test_the_generators_are_found_only_while_they_are_enlisted(tmp_path: Path) -> None:
    before = os.environ.get("PYTHONPATH")
    with enlist(tmp_path):
        plugins = load_plugins()
        assert {METRONOME, BUSY, "markov"} <= set(plugins.generators)
        assert plugins.failures == ()
        assert str(tmp_path) in os.environ["PYTHONPATH"].split(os.pathsep)
    assert METRONOME not in load_plugins().generators
    assert os.environ.get("PYTHONPATH") == before
