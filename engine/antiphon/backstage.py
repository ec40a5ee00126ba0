"""What runs in the players' processes and in the sound's: loops that obey the engine. They decide nothing."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.cast import Role
from antiphon.errors import AntiphonError
from antiphon.player import Player
from antiphon.plugins import load_plugins
from antiphon.runtime import BEAT_SECONDS, Backstage, Connection, Pulse, is_orphan, join_hub
from antiphon.tracebacks import Tracebacks

if TYPE_CHECKING:
    from antiphon.synth import Synth


@dataclass(frozen=True, slots=True)
class SoundSetup:
    """What the built-in sound plays with."""

    device: str | None = None
    """Name of the audio device; None: the system's default."""
    soundfont: Path | None = None
    """A `.sf2` file to play with; None: the built-in electric piano."""


NO_DEVICE = 4
"""Exit code of a sound process that found nothing to play on: starting it again would not help."""
CANNOT_START = 5
"""Exit code of a player process whose generator could not be made."""


def make_player(role: Role) -> Player:
    """Make the player of `role`. Raises AntiphonError, naming it, if its generator cannot be made."""
    registered = load_plugins().generator(role.generator)
    try:
        return Player(registered.info, registered.make(role.casting))
    except AntiphonError:
        raise
    except Exception as error:  # A plugin may raise anything at all.
        Tracebacks().write(f"generator {role.generator!r} cannot be made", error)
        reason = f"{type(error).__name__}: {error}"
        raise AntiphonError(f"generator {role.generator!r} cannot be made: {reason}") from error


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
                for slot, command in itertools.chain.from_iterable(_all_waiting(connection)):
                    asked.setdefault(slot, []).append(command)
                for slot, commands in asked.items():
                    for reply in players[slot].perform(commands):
                        connection.send(reply)
                    pulse.beat(backstage.place)
        except (EOFError, OSError):
            connection.close()  # The engine is gone; the next one will say what was heard.


def run_sound(backstage: Backstage) -> None:
    """Play the built-in synth, or a SoundFont, as the engine says."""
    from antiphon.audio import AudioOutput
    from antiphon.ledger import panic_messages

    pulse = Pulse(backstage.folder)
    wanted: SoundSetup = backstage.read("sound")
    sys.setswitchinterval(1e-4)  # The audio callback must not wait for this thread.
    try:
        output = AudioOutput(lambda rate: _make_synth(wanted, rate), wanted.device)
    except AntiphonError as error:
        connection = join_hub(backstage, ("sound", backstage.place, ()))
        if connection is not None:
            connection.send(("no sound", str(error)))
            connection.close()
        sys.exit(NO_DEVICE)
    while (connection := join_hub(backstage, ("sound", backstage.place, ()))) is not None:
        try:
            connection.send(("sound", f"{output.device}, {1000 * output.latency_seconds:.0f} ms"))
            while True:
                pulse.beat(backstage.place)
                if not output.active:
                    sys.exit("the audio device has stopped")  # Started again, on whatever device there is then.
                if not connection.poll(BEAT_SECONDS):
                    if is_orphan():
                        return
                    continue
                for message in _all_waiting(connection):
                    output.send(message)
        except (EOFError, OSError):
            connection.close()
            for message in panic_messages():
                output.send(message)
    output.close()


def _make_synth(wanted: SoundSetup, sample_rate: int) -> Synth:
    if wanted.soundfont is not None:
        from antiphon.soundfont import SoundFont

        return SoundFont(wanted.soundfont, sample_rate)
    from antiphon.synth import ElectricPiano

    return ElectricPiano(sample_rate)


def _all_waiting(connection: Connection) -> list[Any]:
    items = [connection.recv()]
    while connection.poll(0):
        items.append(connection.recv())
    return items
