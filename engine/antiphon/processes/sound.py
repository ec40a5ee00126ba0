"""What runs in the process of the built-in sound: a loop that obeys the engine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from antiphon.errors import AntiphonError
from antiphon.processes.heartbeat import Heartbeat
from antiphon.processes.protocol import FromSound, Greeting, NoSound, SoundOpened, ToSound
from antiphon.processes.runtime import BEAT_SECONDS, Connection, all_waiting, is_orphan, join_hub
from antiphon.processes.shared_folder import Entry, SharedFolder

if TYPE_CHECKING:
    from antiphon.sound.synth import Synth


@dataclass(frozen=True, slots=True)
class SoundSetup:
    """What the built-in sound plays with."""

    device: str | None = None
    """Name of the audio device; None: the system's default."""
    soundfont: Path | None = None
    """A `.sf2` file to play with; None: the built-in electric piano."""


SOUND_SETUP: Final[Entry[SoundSetup]] = Entry("sound")
NO_DEVICE = 4
"""Exit code of a sound process that found nothing to play on: starting it again would not help."""


def run_sound(shared: SharedFolder) -> None:
    """Play the built-in synth, or a SoundFont, as the engine says."""
    from antiphon.duet.ledger import panic_messages
    from antiphon.sound.audio import AudioOutput

    heartbeat = Heartbeat(shared.folder)
    wanted = shared.read(SOUND_SETUP)
    greeting = Greeting("sound", shared.place)
    connection: Connection[FromSound, ToSound] | None
    sys.setswitchinterval(1e-4)  # The audio callback must not wait for this thread.
    try:
        output = AudioOutput(lambda rate: _make_synth(wanted, rate), wanted.device)
    except AntiphonError as error:
        connection = join_hub(shared, greeting)
        if connection is not None:
            connection.send(NoSound(str(error)))
            connection.close()
        sys.exit(NO_DEVICE)
    while (connection := join_hub(shared, greeting, beat=lambda: heartbeat.beat(shared.place))) is not None:
        try:
            connection.send(SoundOpened(f"{output.device}, {1000 * output.latency_seconds:.0f} ms"))
            while True:
                heartbeat.beat(shared.place)
                if not output.active:
                    sys.exit("the audio device has stopped")  # Started again, on whatever device there is then.
                if not connection.poll(BEAT_SECONDS):
                    if is_orphan():
                        return
                    continue
                for sounded in all_waiting(connection):
                    output.send(sounded.message)
        except (EOFError, OSError):
            connection.close()
            for message in panic_messages():
                output.send(message)
    output.close()


def _make_synth(wanted: SoundSetup, sample_rate: int) -> Synth:
    if wanted.soundfont is not None:
        from antiphon.sound.soundfont import SoundFont

        return SoundFont(wanted.soundfont, sample_rate)
    from antiphon.sound.synth import ElectricPiano

    return ElectricPiano(sample_rate)
