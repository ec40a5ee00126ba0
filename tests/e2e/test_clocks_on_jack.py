"""In time with programs that nobody here wrote: `jack_midi_clock` leads, `jack_mclk_dump` follows."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from antiphon.music.messages import note_off, note_on

from .conftest import SAMPLE_RATE, Listener, is_calm, require_programs
from .stage import Command, journal, note_ons, sounding, wait_until

jack = pytest.importorskip("jack")

pytestmark = [pytest.mark.timed, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
VOICE = """
[[voice]]
launch = "bar"
answer_bars = 1
channel = 2
[voice.handover]
by = "bars"
bars = 1
"""


@pytest.fixture
def transport() -> Iterator[jack.Client]:
    """Whoever presses play in the DAW."""
    client = jack.Client("transport", no_start_server=True)
    client.activate()
    client.transport_stop()
    client.transport_frame = 0
    yield client
    client.transport_stop()
    client.deactivate()
    client.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """`run("jack_midi_clock", …)` runs a program until the test is over; what it says is in the file returned."""
    programs: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> Path:
        require_programs(command[0])
        said = tmp_path / f"{command[0]}.txt"
        with said.open("wb") as file:
            # stdbuf: what it prints is seen when it is printed.
            programs.append(subprocess.Popen(["stdbuf", "-o0", *command], stdout=file, stderr=file))
        return said

    yield start
    for program in programs:
        program.terminate()
        program.wait(10)


def jam(start: Callable[..., Command], folder: Path, top: str, *options: str) -> Command:
    preset = folder / "synced.toml"
    preset.write_text(top + VOICE, encoding="utf-8")
    ports = ["--in", "virtual", "--out", "virtual", "--session", folder / "session"]
    playing = start("jam", preset, *ports, *options)
    playing.wait_for("ready in")
    return playing


def events(session: Path, kind: str) -> list[dict[str, Any]]:
    return [line for line in journal(session) if line["is"] == kind]


def frames(listener: Listener, *wanted: bytes) -> list[int]:
    return [heard.frame for heard in listener.heard() if heard.message in wanted and heard.frame is not None]


def test_it_follows_a_clock_that_nobody_here_wrote(
    start: Callable[..., Command],
    listen,
    play,
    run: Callable[..., Path],
    transport: jack.Client,
    xruns: list[float],
    tmp_path: Path,
) -> None:
    session = tmp_path / "session"
    playing = jam(start, tmp_path, 'sync = "midi"\ntempo_bpm = 96\n')
    playing.wait_for("no MIDI clock yet: playing at 96.0 bpm")
    run("jack_midi_clock", "-b", "250", "Antiphon:in")  # At the beginning of the song it says so at once.
    wait_until(lambda: transport.get_ports("jack_midi_clock:mclk_out"), "the clock is there")
    daw, listener = listen("jack_midi_clock:mclk_out", name="daw"), listen("Antiphon:out")
    transport.transport_start()
    playing.wait_for("following the MIDI clock")
    wait_until(lambda: len(frames(daw, CLOCK)) > 96, "a bar has passed")
    for number in range(2):
        # Anywhere in a bar: the answer begins at the bar line that follows.
        keys = [(0.0, note_on(0, 60, 80)), (0.2, note_off(0, 60))]
        play(keys, to="Antiphon:in", name=f"keys {number}")
        wait_until(lambda: len(events(session, "Decision")) >= 3 * (number + 1), "the answer is over")  # noqa: B023
    # A nudge towards the bar line may be the latest; and what holds up JACK holds up the clock with it.
    tempi = sorted(line["bpm"] for line in events(session, "TempoChanged"))
    assert xruns or tempi[len(tempi) // 2] == pytest.approx(250, rel=0.05)
    bars = frames(daw, CLOCK)[::96]
    meant = [line["ticks"] for line in events(session, "Decision") if line["kind"] == "answer"]
    answers = [h.frame for h in listener.heard() if note_ons([h.message], 1) and h.frame is not None]
    assert meant
    assert all(ticks % 1920 == 0 for ticks in meant)
    apart = [min((frame - bar for bar in bars), key=abs) / SAMPLE_RATE for frame in answers]
    # What is sent leaves a period (2.7 ms) after its moment; the first note of each answer is on the bar line.
    assert xruns or sum(abs(seconds) < 0.006 for seconds in apart) >= len(meant), apart
    transport.transport_stop()
    playing.wait_for("the clock's transport is stopped")
    wait_until(lambda: not sounding(h.message for h in listener.heard()), "silence")
    transport.transport_frame = 0
    transport.transport_start()
    wait_until(lambda: len(events(session, "TransportStarted")) >= 1, "it runs again")
    assert playing.stop() == 0
    again = start("replay", session, "-o", tmp_path / "again.mid")
    assert again.wait() == 0, again.said
    assert "to the bit" in again.said
    assert (tmp_path / "again.mid").read_bytes() == (session / "session.mid").read_bytes()


def test_who_follows_its_clock_sees_the_tempo_and_the_transport(
    start: Callable[..., Command], listen, run: Callable[..., Path], xruns: list[float], tmp_path: Path
) -> None:
    playing = jam(start, tmp_path, "clock_out = true\ntempo_bpm = 141\n")
    listener = listen("Antiphon:out")
    said = run("jack_mclk_dump", "-n", "Antiphon:out")
    wait_until(lambda: re.search(r"\b1(39|4[0-3])\.\d", said.read_text(errors="replace")), "the tempo is read")
    wait_until(lambda: len(frames(listener, CLOCK)) > 24 * 12, "three bars have passed")
    assert playing.stop() == 0
    wait_until(lambda: frames(listener, STOP), "the stop is heard")
    pulses = frames(listener, CLOCK)
    period = 60 / 141 / 24 * SAMPLE_RATE
    # From pulse to pulse: when JACK is held up, its frames fall behind the clock.
    off_ms = sorted(
        abs(later.frame - earlier.frame - period) / SAMPLE_RATE * 1000
        for earlier, later in pairwise(heard for heard in listener.heard() if heard.message == CLOCK)
        if is_calm(later.seconds, xruns, settle_seconds=0.5)
    )
    assert off_ms or xruns
    assert not off_ms or off_ms[int(0.95 * len(off_ms))] < 1.0, (off_ms, xruns)
    tempi = [float(found) for found in re.findall(r"(\d+\.\d+)\s*BPM", said.read_text(errors="replace"))]
    assert xruns or not tempi or sorted(tempi)[len(tempi) // 2] == pytest.approx(141, abs=1)
    time.sleep(0.2)
    assert frames(listener, STOP)[-1] >= pulses[-1], "nothing comes after the stop"


def test_an_engine_that_takes_over_stops_the_song_and_puts_it_to_the_next_bar_line(
    start: Callable[..., Command], listen, tmp_path: Path
) -> None:
    playing = jam(start, tmp_path, "clock_out = true\ntempo_bpm = 240\n")
    listener = listen("Antiphon:out")
    wait_until(lambda: len(frames(listener, CLOCK)) > 96, "a bar has passed")
    playing.signal(signal.SIGKILL, "engine")
    wait_until(lambda: frames(listener, CONTINUE), "the song goes on")
    assert playing.stop() == 0
    told = [heard.message for heard in listener.heard() if heard.message[0] in (0xF2, 0xFA, 0xFB, 0xFC)]
    stopped, located, resumed, ended = told[-4:]
    assert (stopped, resumed, ended) == (STOP, CONTINUE, STOP)
    assert located[0] == 0xF2
    assert (located[1] + 128 * located[2]) % 16 == 0, "a bar line"
    assert told[:-4] in ([], [START]), "the listener may have come after the start"
