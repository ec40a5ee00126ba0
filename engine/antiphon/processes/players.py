"""What runs in the players' processes: a loop that obeys the engine. It decides nothing."""

from __future__ import annotations

import itertools
import sys
from typing import Any, Final

from antiphon.duet.casting import Role
from antiphon.errors import AntiphonError
from antiphon.plugins.making import make_player
from antiphon.processes.runtime import BEAT_SECONDS, Backstage, Pulse, all_waiting, is_orphan, join_hub

CANNOT_START: Final = 5
"""Exit code of a player process whose generator could not be made."""


def run_player(backstage: Backstage) -> None:
    """Make the generators of this place's roles and let them play, for one engine after the other."""
    pulse = Pulse(backstage.folder)
    roles: dict[int, Role] = backstage.read(f"roles-{backstage.place}")
    try:
        players = {slot: make_player(role) for slot, role in roles.items()}
    except AntiphonError as error:
        connection = join_hub(backstage, ("player", backstage.place, ()))
        if connection is not None:
            connection.send(("cannot start", str(error)))
            connection.close()
        sys.exit(CANNOT_START)
    reports = [
        f"{roles[slot].generator} runs on {player.runs_on}" for slot, player in players.items() if player.runs_on
    ]
    while (connection := join_hub(backstage, ("player", backstage.place, tuple(players)))) is not None:
        try:
            while reports:
                connection.send(("report", reports[0]))
                reports.pop(0)
            while True:
                pulse.beat(backstage.place)
                if not connection.poll(BEAT_SECONDS):
                    if is_orphan():
                        return
                    continue
                asked: dict[int, list[Any]] = {}
                for slot, command in itertools.chain.from_iterable(all_waiting(connection)):
                    asked.setdefault(slot, []).append(command)
                for slot, commands in asked.items():
                    for reply in players[slot].perform(commands):
                        connection.send(reply)
                    pulse.beat(backstage.place)
        except (EOFError, OSError):
            connection.close()  # The engine is gone; the next one will say what was heard.
