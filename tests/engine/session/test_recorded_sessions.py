"""Sessions that an earlier version recorded: they are read, and play again message by message."""

from __future__ import annotations

from pathlib import Path

import pytest
from toys import TOYS, toy_player

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.player import Player
from antiphon.duet.schedule import Send
from antiphon.plugins.making import make_player
from antiphon.session import continuation
from antiphon.session.continuation import replay_session
from antiphon.session.journal import read_session

RECORDED = sorted(folder.parent for folder in (Path(__file__).parent / "recorded").glob("*/journal.jsonl"))


def toy_or_plugin(role: PlayerNeeded) -> Player:
    return toy_player(role.generator) if role.generator in TOYS else make_player(role)


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_an_old_session_plays_again_message_by_message(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuation, "make_player", toy_or_plugin)
    session = read_session(folder)
    sent = sum(isinstance(record.what, Send) for record in session.records)
    replayed = replay_session(session)
    assert (replayed.difference, replayed.messages) == (None, sent)
    assert sent > 50
