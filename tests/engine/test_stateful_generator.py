"""A player whose state runs on keeps the contract by snapshots."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from antiphon import Casting, GeneratorInfo, Note, Phrase, Request, StatefulGenerator
from antiphon.testing import check_generator, sample_phrases, streamed

INFO = GeneratorInfo("wanderer", "Wanders on from the last note, with dice that run on.")


@dataclass
class Mind:
    """A stream of chance, a list that grows, and a count: all that the contract makes hard."""

    dice: random.Random
    pitches: list[int] = field(default_factory=list)
    heard: int = 0


class Wanderer(StatefulGenerator[Mind]):
    """Counts what it does, so that the tests see what a key press costs."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.hears = self.copies = 0

    def begin(self) -> Mind:
        return Mind(random.Random(self.seed))

    def copy(self, state: Mind) -> Mind:
        self.copies += 1
        return super().copy(state)

    def hear(self, state: Mind, note: Note) -> None:
        self.hears += 1
        state.heard += 1
        state.pitches.append(note.pitch)
        state.dice.random()

    def play(self, state: Mind, request: Request) -> Phrase:
        notes = []
        for ticks in range(request.start_ticks, request.end_ticks, 480):
            state.pitches.append((state.pitches[-1] if state.pitches else 60) + state.dice.choice((-2, -1, 1, 2)))
            notes.append(Note(ticks, max(0, min(127, state.pitches[-1])), 240, 64))
        return Phrase.of(notes, request.start_ticks, request.end_ticks)


class Quick(Wanderer):
    """Knows a cheaper way to copy its state than to look into each of its numbers."""

    def copy(self, state: Mind) -> Mind:
        self.copies += 1
        dice = random.Random(0)
        dice.setstate(state.dice.getstate())
        return Mind(dice, state.pitches.copy(), state.heard)


def test_dice_that_run_on_keep_every_rule_of_the_contract() -> None:
    report = check_generator(lambda casting: Quick(casting.seed), INFO, allowance=400)
    assert report.seeds_differ


def test_they_do_so_with_deep_copies_as_well() -> None:
    short = {name: phrase for name, phrase in sample_phrases().items() if name != "long"}
    assert check_generator(lambda casting: Wanderer(casting.seed), INFO, allowance=400, phrases=short).seeds_differ
    assert isinstance(Wanderer(Casting(3).seed), StatefulGenerator)


def test_a_key_press_is_heard_with_a_few_notes_before_it_however_long_the_music() -> None:
    player = Quick(0)
    costs = []
    for part in streamed(sample_phrases()["long"]):
        before = player.hears
        player.prime(part)
        costs.append(player.hears - before)
    assert max(costs) <= 17
    player.prime(sample_phrases()["long"])
    assert len(player._snapshots) <= 32


def test_a_change_far_back_is_heard_from_a_snapshot_before_it_and_not_from_the_beginning() -> None:
    long = sample_phrases()["long"]
    player, fresh = Wanderer(0), Wanderer(0)
    player.prime(long)
    shorter = Phrase(long.start_ticks, long.end_ticks, (*long.notes[:3000], *long.notes[3001:]))
    before = player.hears
    player.prime(shorter)
    assert player.hears - before < 4095 - 1500
    fresh.prime(shorter)
    request = Request(long.end_ticks, 1920)
    assert player.extend(request) == fresh.extend(request)


def test_a_rewind_into_the_middle_of_a_phrase_goes_back_to_where_it_began() -> None:
    player = Wanderer(5)
    first, second = (player.extend(Request(start, 1920)) for start in (0, 1920))
    player.rewind(2400)
    again = player.extend(Request(1920, 1920))
    assert again == second
    player.rewind(0)
    assert player.extend(Request(0, 1920)) == first
