"""A plugin's mistake is seen whole: in its player's log, and on the terminal of who asks for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from toys import Toy

from antiphon.duet.commands import Extend, Failed, Prime
from antiphon.duet.player import Player
from antiphon.generator import GeneratorInfo, Request
from antiphon.notes import Note
from antiphon.terminal.log_tail import LogTail
from antiphon.tracebacks import Tracebacks, quiet


@pytest.fixture(autouse=True)
def _loud_again() -> Iterator[None]:
    yield
    quiet(False)


def lose_count(known: list[Note], request: Request) -> list[Note]:
    raise KeyError(f"bar of {request}")


def ask(player: Player, epoch: int) -> None:
    prime = Prime(0, "main", epoch, 0, (), 480)
    (reply,) = player.perform([prime, Extend(0, "main", epoch, 0, Request(480, 480))])
    assert isinstance(reply, Failed)


def test_a_player_logs_where_its_generator_raised_once_for_each_place(caplog: pytest.LogCaptureFixture) -> None:
    player = Player(GeneratorInfo("toy", "A toy."), Toy(lose_count))
    for epoch in range(3):
        ask(player, epoch)
    assert caplog.text.count("Traceback") == 1
    assert "generator 'toy' could not go on" in caplog.text
    assert "in lose_count" in caplog.text


def test_a_command_is_quiet_until_it_is_told_to_be_loud(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("antiphon.tracebacks")
    handlers, log.propagate = list(log.handlers), False  # As in a process that has set up no logging.
    try:
        quiet()
        Tracebacks().write("lost", ValueError("a bar"))
        assert capsys.readouterr().err == ""
        quiet(False)
        Tracebacks().write("lost", ValueError("a bar"))
        assert capsys.readouterr().err == "lost\nValueError: a bar\n"
    finally:
        log.propagate = True
        assert log.handlers == handlers


def test_the_tail_of_the_logs_tells_each_finished_line_once(tmp_path: Path) -> None:
    tail = LogTail(tmp_path)
    assert list(tail.lines()) == []
    log = tmp_path / "player-2.log"
    log.write_bytes(b"one\ntw")
    assert list(tail.lines()) == ["player-2: one"]
    log.write_bytes(b"one\ntwo\n")
    (tmp_path / "sound-1.log").write_bytes("drüben\n".encode("latin-1"))
    assert list(tail.lines()) == ["player-2: two", "sound-1: dr�ben"]
    assert list(tail.lines()) == []
