"""A flood of messages: what was heard at the other end is in the journal, all of it, or at a kill all but a second.

Real processes. How much gets through in a second is the machine's affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.music.messages import control_change, note_off, note_on

from .stage import Command, Timed, journal, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

PORTS = ("--in", "virtual", "--out", "virtual", "--midi", "socket")
RATE = 6000
"""Messages a second."""
CONTROLLERS: Timed = [(i / RATE, control_change(0, 20 + i % 40, i // 40 % 128)) for i in range(4 * RATE)]
NOTES: Timed = [
    (i / RATE, (note_on if i // 64 % 2 == 0 else note_off)(0, 32 + i % 64, *([80] if i // 64 % 2 == 0 else [])))
    for i in range(4 * RATE)
]


def begin(start: Callable[..., Command], session: Path) -> Command:
    jam = start("jam", "markov", *PORTS, "--session", session)
    jam.wait_for("ready in")
    return jam


def unrecorded(session: Path, flood: Timed, heard: list[bytes]) -> Counter[bytes]:
    """What the listener heard of the flood and the journal does not say was sent."""
    sent = Counter(bytes.fromhex(line["message"]) for line in journal(session) if line["is"] == "Send")
    played = {message for _, message in flood}
    return Counter(message for message in heard if message in played) - sent


@pytest.mark.parametrize("flood", [CONTROLLERS, NOTES], ids=["controllers", "notes"])
def test_all_that_was_heard_is_in_the_journal_after_an_end_in_the_flood(
    start: Callable[..., Command], listen, play, tmp_path: Path, flood: Timed
) -> None:
    session = tmp_path / "session"
    jam = begin(start, session)
    listener = listen("Antiphon:out", backend="socket")
    play(flood, to="Antiphon:in", backend="socket")
    wait_until(lambda: len(listener.heard()) > len(flood) // 2, "half of it is heard")
    assert jam.stop() == 0, jam.said
    heard = [message.message for message in listener.close()]
    assert len(heard) > len(flood) // 2
    assert not unrecorded(session, flood, heard)


def test_all_but_a_second_is_in_the_journal_when_everything_is_killed_in_the_flood(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    session = tmp_path / "session"
    jam = begin(start, session)
    listener = listen("Antiphon:out", backend="socket")
    play(CONTROLLERS, to="Antiphon:in", backend="socket")
    wait_until(lambda: len(listener.heard()) > len(CONTROLLERS) // 2, "half of it is heard")
    jam.kill_everything()
    heard = listener.close()
    last = heard[-1].seconds
    before = [message.message for message in heard if message.seconds < last - 1]
    missing = unrecorded(session, CONTROLLERS, before)
    assert not missing, f"{missing.total()} of {len(before)} are missing"
