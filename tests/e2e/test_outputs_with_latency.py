"""Outputs that get what is played earlier and later, on real ports: by how much, and that every note ends."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from antiphon.music.messages import is_note_on, note_off, note_on

from .conftest import SAMPLE_RATE, Heard, Listener
from .scene import CALL
from .stage import Command, journal, note_ons, sounding, wait_until

START = b"\xfa"
PRESET = """
inputs = ["virtual"]
outputs = ["early:in", "late:in"]
clock_out = true
[latency]
"early:in" = {early}
"late:in" = {late}
[[voice]]
mode = "continue"
channel = 2
[voice.handover]
by = "pedal"
"""


class Ensemble:
    """A voice that plays on and on to two outputs, and who listens there."""

    def __init__(
        self, start: Callable[..., Command], listen, play, folder: Path, backend: str, *, early: int, late: int
    ) -> None:
        """`early` and `late`: the offsets of the two, in milliseconds."""
        self.session = folder / "session"
        self.folder = folder
        self.start = start
        self.play = play
        self.backend = backend
        preset = folder / "apart.toml"
        preset.write_text(PRESET.format(early=early, late=late), encoding="utf-8")
        self.early: Listener = listen(None, backend=backend, name="early")
        self.late: Listener = listen(None, backend=backend, name="late")
        self.jam = start("jam", preset, "--midi", backend, "--session", self.session)
        self.jam.wait_for("ready in")
        self.call()

    def call(self) -> None:
        self.play(CALL, to="Antiphon:in", backend=self.backend)
        before = self.notes(self.late)
        wait_until(lambda: self.notes(self.late) >= before + 12, "the voice plays")

    @staticmethod
    def music(listener: Listener) -> list[bytes]:
        return [heard.message for heard in listener.heard() if heard.message[0] < 0xF8]

    def notes(self, listener: Listener) -> int:
        return len(note_ons(self.music(listener), 1))

    def pairs(self) -> list[tuple[Heard, Heard]]:
        """Each note of the voice as it was heard here and there, but for the first: there was no time to be early."""
        own = [[h for h in li.heard() if is_note_on(h.message) and h.message[0] & 15 == 1] for li in self.listeners]
        return list(zip(*own, strict=False))[4:]

    def pulses(self) -> list[tuple[Heard, Heard]]:
        """Each message of the clock, as it was heard here and there."""
        own = [[heard for heard in listener.heard() if heard.message[0] >= 0xF8] for listener in self.listeners]
        return list(zip(*own, strict=False))

    @property
    def listeners(self) -> tuple[Listener, Listener]:
        return self.early, self.late

    def wait_for_silence(self) -> None:
        for listener in self.listeners:
            wait_until(lambda: not sounding(self.music(listener)), "silence")  # noqa: B023

    def end(self) -> None:
        assert self.jam.stop() == 0, self.jam.said
        self.wait_for_silence()
        again = self.start("replay", self.session, "-o", self.folder / "again.mid")
        assert again.wait() == 0, again.said
        assert "to the bit" in again.said
        assert (self.folder / "again.mid").read_bytes() == (self.session / "session.mid").read_bytes()


@pytest.mark.timed
@pytest.mark.usefixtures("no_jack_server", "socket_ports")
def test_each_output_gets_its_notes_when_its_offset_says_and_every_note_ends(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    ensemble = Ensemble(start, listen, play, tmp_path, "socket", early=-40, late=60)
    pairs = ensemble.pairs()
    assert [here.message for here, _ in pairs] == [there.message for _, there in pairs]
    apart = [there.seconds - here.seconds for here, there in pairs]
    assert median(apart) == pytest.approx(0.1, abs=0.03)  # On a machine that stalls; to the frame it is told on JACK.
    pulses = ensemble.pulses()
    assert [here.message for here, _ in pulses] == [there.message for _, there in pulses]
    assert START in [here.message for here, _ in pulses]
    assert median(there.seconds - here.seconds for here, there in pulses) == pytest.approx(0.1, abs=0.03)
    # Keys that the voice plays, on its channel: they are mine now, also where its notes wait to leave.
    pitches = sorted({here.message[1] for here, _ in pairs})
    chord = [(0.0, note_on(1, pitch, 90)) for pitch in pitches]
    release = [(0.5, note_off(1, pitch)) for pitch in pitches]
    ensemble.play([*chord, *release], to="Antiphon:in", backend="socket").wait()
    ensemble.wait_for_silence()
    ensemble.call()
    late = [line for line in journal(ensemble.session) if line["is"] == "Send" and line["source"] == 0]
    assert all("late_seconds" in line for line in late[: len(late) // 2]), (
        "what has left is on record with its lateness"
    )
    ensemble.end()


@pytest.mark.usefixtures("no_jack_server", "socket_ports")
def test_an_engine_that_is_killed_while_notes_wait_leaves_none_hanging(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    ensemble = Ensemble(start, listen, play, tmp_path, "socket", early=-40, late=60)
    ensemble.jam.signal(signal.SIGKILL, "engine")
    ensemble.jam.wait_for("engine restarted")
    wait_until(lambda: any(line["is"] == "Restarted" for line in journal(ensemble.session)), "another engine plays")
    ensemble.wait_for_silence()
    ensemble.call()
    ensemble.end()


@pytest.mark.timed
@pytest.mark.jack
@pytest.mark.usefixtures("jack_server")
def test_on_jack_the_offsets_are_kept_to_the_frame(start: Callable[..., Command], listen, play, tmp_path: Path) -> None:
    pytest.importorskip("jack")
    ensemble = Ensemble(start, listen, play, tmp_path, "jack", early=-4, late=6)
    frames = [there.frame - here.frame for here, there in ensemble.pairs() if here.frame and there.frame]
    # What is not stamped leaves with a period, and 10 ms are three and three quarters. Where the machine is held up,
    # JACK's frames fall behind the clock: then not every pair is that exact.
    assert min(abs(apart - SAMPLE_RATE // 100) for apart in frames) <= 8, frames
    ensemble.end()
