"""What runs in the players' processes: a loop that obeys the engine."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Final

from antiphon.duet.commands import Extend, Prime
from antiphon.errors import AntiphonError
from antiphon.plugins.making import make_player
from antiphon.processes.heartbeat import Heartbeat
from antiphon.processes.protocol import CannotStart, FromPlayers, Greeting, Report, ToPlayers, players_at
from antiphon.processes.runtime import BEAT_SECONDS, Connection, all_waiting, is_orphan, join_hub
from antiphon.processes.shared_folder import SharedFolder

CANNOT_START: Final = 5
"""Exit code of a player process whose generator could not be made."""


class Beat:
    """What a generator says that it is at work with: the heartbeat of its process, as long as its class allows."""

    def __init__(self, heartbeat: Heartbeat, place: int) -> None:
        self._heartbeat = heartbeat
        self._place = place
        self._until_seconds = 0.0

    def count_for(self, seconds: float) -> None:
        """From now on, and for so long, a beat counts. Before, as while a model is loaded, none does."""
        self._until_seconds = time.perf_counter() + seconds

    def __call__(self) -> None:
        if time.perf_counter() < self._until_seconds:
            self._heartbeat.beat(self._place)


def run_player(shared: SharedFolder) -> None:
    """Make the generators of this place's players and let them play, for one engine after the other."""
    heartbeat = Heartbeat(shared.folder)
    needed = shared.read(players_at(shared.place))
    connection: Connection[FromPlayers, ToPlayers] | None
    try:
        beats = {slot: Beat(heartbeat, shared.place) for slot in needed}
        players = {
            slot: make_player(replace(each, casting=replace(each.casting, beat=beats[slot])))
            for slot, each in needed.items()
        }
    except AntiphonError as error:
        connection = join_hub(shared, Greeting("player", shared.place))
        if connection is not None:
            connection.send(CannotStart(str(error)))
            connection.close()
        sys.exit(CANNOT_START)
    reports = [
        Report(f"{needed[slot].generator} runs on {player.runs_on}")
        for slot, player in players.items()
        if player.runs_on
    ]
    greeting = Greeting("player", shared.place, tuple(players))
    while (connection := join_hub(shared, greeting, beat=lambda: heartbeat.beat(shared.place))) is not None:
        try:
            while reports:
                connection.send(reports[0])
                reports.pop(0)
            while True:
                heartbeat.beat(shared.place)
                if not connection.poll(BEAT_SECONDS):
                    if is_orphan():
                        return
                    continue
                asked: dict[int, list[Prime | Extend]] = {}
                for message in all_waiting(connection):
                    for slot, command in message.commands:
                        asked.setdefault(slot, []).append(command)
                for slot, commands in asked.items():
                    beats[slot].count_for(players[slot].limits.call_seconds)
                    for reply in players[slot].perform(commands):
                        connection.send(reply)
                    heartbeat.beat(shared.place)
        except (EOFError, OSError):
            connection.close()  # The engine is gone; the next one will say what was heard.
