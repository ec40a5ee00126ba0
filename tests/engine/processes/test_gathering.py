"""What players are asked in a flood of messages, and when."""

from __future__ import annotations

import math
from random import Random

import pytest
from toys import Toy, echo

from antiphon.duet.commands import Extend, Prime
from antiphon.duet.player import Player
from antiphon.generator import GeneratorInfo, Request
from antiphon.notes import Note
from antiphon.processes.gathering import Gathering, without_stale

INFO = GeneratorInfo("toy", "a toy")
END_TICKS = 10_000


def a_flood(random: Random) -> list[Prime | Extend]:
    """Primes and questions as they follow each other for one player, each epoch later than the one before."""
    commands: list[Prime | Extend] = []
    known = 0
    for epoch in range(random.randrange(1, 12)):
        for _ in range(random.randrange(3)):
            keep = random.randint(0, known)
            notes = tuple(
                Note(100 * n, random.randrange(40, 80), 50, 80) for n in range(keep, keep + random.randrange(4))
            )
            known = keep + len(notes)
            commands.append(Prime(0, "main", epoch, keep, notes, END_TICKS))
        if random.random() < 0.6:
            commands.append(Extend(0, "main", epoch, 0, Request(END_TICKS, 480)))
    return commands


@pytest.mark.parametrize("seed", range(60))
def test_what_is_left_of_a_flood_says_the_same(seed: int) -> None:
    random = Random(seed)
    one, other = Toy(echo), Toy(echo)
    whole, short = Player(INFO, one), Player(INFO, other)
    for _ in range(3):
        commands = a_flood(random)
        assert short.perform(without_stale(commands)) == whole.perform(commands)
        assert other.primed == one.primed


def test_of_a_flood_one_prime_and_one_question_are_left() -> None:
    commands: list[Prime | Extend] = []
    for n in range(100):
        commands += [
            Prime(0, "main", n, n, (Note(n, 60, 10, 80),), n + 1),
            Extend(0, "main", n, 0, Request(n + 1, 480)),
        ]
    told, asked = without_stale(commands)
    assert told == Prime(0, "main", 99, 0, tuple(Note(n, 60, 10, 80) for n in range(100)), 100)
    assert asked == commands[-1]


def test_a_message_that_comes_alone_is_handed_over_at_once() -> None:
    gathering = Gathering()
    for now in (0.0, 0.02, 5.0):
        assert gathering.is_due(now, waiting=False)
        gathering.handed_over(now, notes=3)
        assert gathering.next_seconds() == math.inf


def test_what_follows_closely_waits_for_a_moment_and_is_not_forgotten() -> None:
    gathering = Gathering()
    gathering.handed_over(1.0, notes=0)
    assert not gathering.is_due(1.0003, waiting=False)
    wakes = gathering.next_seconds()
    assert 1.0003 < wakes <= 1.005
    assert gathering.is_due(wakes, waiting=False)


def test_the_more_was_handed_over_the_longer_is_the_rest() -> None:
    gathering = Gathering()
    gathering.handed_over(1.0, notes=4096)
    assert not gathering.is_due(1.02, waiting=False)
    assert gathering.is_due(1.1, waiting=False)


def test_however_much_is_still_to_be_heard_the_others_are_not_kept_waiting_for_ever() -> None:
    gathering = Gathering()
    gathering.handed_over(1.0, notes=0)
    handed = 0
    for n in range(3000):
        now = 1.0 + n / 1000
        if gathering.is_due(now, waiting=True):
            handed += 1
            gathering.handed_over(now, notes=10)
    assert 3 <= handed <= 10
