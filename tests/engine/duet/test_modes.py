"""Tests that one row says what a mode asks, and that performer, presets and the guide go by it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import pytest

from antiphon import Gap, GeneratorInfo, Note, Phrase, Request
from antiphon.duet.accompanist import Accompanist
from antiphon.duet.bandmate import MakeBandmate
from antiphon.duet.commands import Command, Extend
from antiphon.duet.modes import MODES, ModeRules, mode_with
from antiphon.duet.performer import PLAYS, Performer
from antiphon.duet.plan import Handover, HandoverBy, Mode, MorphPlan, Plan, VoicePlan
from antiphon.music.timing import Moment, Timeline, TimeSignature
from antiphon.presets.reading import HANDOVER_KEYS, idle_keys
from antiphon.presets.schema import HandoverTable, VoiceTable
from antiphon.testing import Stage

ROOT = Path(__file__).parents[3]
LOOPS = {"allowed": "plays", "needed": "is needed", "refused": "cannot play"}


def row(mode: str, rules: ModeRules) -> str:
    """A line of the table in the guide."""
    own = {key for keys in HANDOVER_KEYS.values() for key in keys}
    assert all(path[-1] in own for path in rules.idle_keys if path[0] == "handover")
    idle = ", ".join(f"`{path[-1]}`" for path in rules.idle_keys)
    turns = "when you do not" if rules.takes_turns else "while you do"
    ends = "when its answer is as long as it should be" if rules.ends else "when you touch a key"
    return " | ".join(
        (
            f"| `{mode}`",
            turns,
            ends if rules.takes_turns else "when you rest, or with the signal",
            ", ".join(f"`{by}`" for by in rules.rules),
            idle,
            f"{LOOPS[rules.loops]} |",
        )
    )


def test_the_guide_has_a_row_for_every_mode() -> None:
    section = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8").split("\n### Modes\n")[1].split("\n### ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]
    assert table[1:] == [row(mode, rules) for mode, rules in MODES.items()]


def test_every_mode_has_its_rules_and_somebody_who_plays() -> None:
    assert set(MODES) == set(PLAYS) == set(get_args(Mode))
    assert {by for rules in MODES.values() for by in rules.rules} == set(get_args(HandoverBy))


def test_idle_keys_are_keys_of_a_preset_and_have_an_effect_in_some_mode() -> None:
    for path in {path for rules in MODES.values() for path in rules.idle_keys}:
        table = HandoverTable if path[0] == "handover" else VoiceTable
        assert path[-1] in table.model_fields
        assert path not in idle_keys(mode_with(path), "silence")


@pytest.mark.parametrize("mode", get_args(Mode))
def test_only_who_takes_turns_has_a_turn(mode: Mode) -> None:
    voice = VoicePlan(mode=mode, handover=Handover(), morph=MorphPlan() if mode == "morph" else None)
    turn, doing = Performer(Plan(voices=(voice,)), itertools.count()).doings(
        Timeline(120.0, TimeSignature()).moment_at(0)
    )
    assert (turn == "your turn") is MODES[mode].takes_turns
    assert doing == "markov is getting ready"


def test_no_mode_is_asked_for_by_its_name_outside_the_tables() -> None:
    named = re.compile(rf"mode (==|!=|in) .*[\"']({'|'.join(get_args(Mode))})[\"']")
    sources = (ROOT / "engine" / "antiphon").rglob("*.py")
    assert [path.name for path in sources if named.search(path.read_text(encoding="utf-8"))] == []


class Filler(Accompanist):
    """Asks each beat for what leads on to a note on the next."""

    def _compose(self, now: Moment) -> list[Command]:
        said = super()._compose(now)
        return [
            replace(each, request=self._around(each.request)) if isinstance(each, Extend) else each for each in said
        ]

    def _around(self, request: Request) -> Request:
        start, end = request.start_ticks, request.start_ticks + request.length_ticks
        after = Phrase(end, end + 480, (Note(end, 67, 480, 80),))
        return replace(request, given=Gap(Phrase(start - 480, start), after))


class Between:
    """Steps to what is played after the gap from below."""

    def prime(self, heard: Phrase) -> None:
        pass

    def rewind(self, to_ticks: int) -> None:
        pass

    def extend(self, request: Request) -> Phrase:
        assert isinstance(request.given, Gap)
        goal = request.given.after.notes[0].pitch
        start, end = request.start_ticks, request.start_ticks + request.length_ticks
        return Phrase(start, end, (Note(start, goal - 2, 480, 80),))


def test_a_mode_may_ask_for_the_music_in_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, MakeBandmate]", PLAYS), "accompany", Filler)
    info = GeneratorInfo("between", "fills gaps", fills=True)
    stage = Stage(lambda casting: Between(), info, '[[voice]]\ngenerator = "between"\nmode = "accompany"')
    stage.play(Phrase.of([Note(480 * i, 60, 400, 80) for i in range(8)]))
    stage.end()
    assert {note.pitch for note in stage.notes()} == {65}
    assert len(stage.notes()) > 4
    assert stage.trouble == ()
