"""A musician who holds a chord while a voice plays on and on: the moment at which everything may go wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.music.messages import control_change, note_off, note_on

from .stage import Command, journal, melody, note_ons, sounding, wait_until

if TYPE_CHECKING:
    from .conftest import Keyboard, Listener

PRESET = """
[[voice]]
mode = "continue"
channel = 2
[voice.handover]
by = "pedal"
"""
PEDAL = [(0.6, control_change(0, 66, 127)), (0.65, control_change(0, 66, 0))]
CALL = [*melody(60, 64, 62, 65), *PEDAL]
CHORD = [(0.0, note_on(0, pitch, 80)) for pitch in (36, 43, 48)]
"""Held until long after the test."""
RELEASE = [(60.0, note_off(0, pitch)) for pitch in (36, 43, 48)]


class Scene:
    """A musician who holds a chord while the voice plays on and on."""

    def __init__(self, start: Callable[..., Command], listen, play, folder: Path) -> None:
        self.session = folder / "session"
        self.folder = folder
        self.start = start
        self.listen: Callable[..., Listener] = listen
        self.play: Callable[..., Keyboard] = play
        self.heard_before: list[bytes] = []

    def begin(self, backend: str = "jack", port: str = "Antiphon:in", **options: object) -> None:
        preset = self.folder / "on-and-on.toml"
        preset.write_text(PRESET, encoding="utf-8")
        arguments = ["--in", "virtual", "--out", "virtual", "--midi", backend, "--session", str(self.session)]
        self.jam = self.start("jam", preset, *arguments, **options)
        self.jam.wait_for("MIDI system")
        wait_until(lambda: len(self.seated()) == 2, "both players are seated")
        self.port = port
        self.listener = self.listen("Antiphon:out")
        self.keyboard = self.play([*CHORD, *CALL, *RELEASE], to=port)
        self.wait_for_music()
        wait_until(lambda: (0, 36) in sounding(self.messages()), "the chord sounds")

    def seated(self) -> list[object]:
        return [line for line in journal(self.session) if line["is"] == "PlayerReady"]

    def messages(self) -> list[bytes]:
        """All that the listeners have heard."""
        return self.heard_before + [heard.message for heard in self.listener.heard()]

    def listen_again(self) -> None:
        """The listener's connection died with the server: here is another, for the same synth."""
        self.heard_before += [heard.message for heard in self.listener.close()]
        self.listener = self.listen("Antiphon:out", name="another")

    def wait_for_music(self, notes: int = 3) -> None:
        """Until the voice has played some more notes."""
        wanted = len(note_ons(self.messages(), 1)) + notes
        wait_until(lambda: len(note_ons(self.messages(), 1)) >= wanted, "the voice plays")

    def wait_for_silence(self) -> None:
        """Until every note that the listeners heard begin has ended."""
        wait_until(lambda: not sounding(self.messages()), f"silence; still sounding: {sounding(self.messages())}")

    def call_again(self) -> None:
        """A new call is answered."""
        self.play(CALL, to=self.port)
        self.wait_for_music()

    def end(self) -> None:
        """Ctrl-C: no note sounds, the record is whole and plays again to the bit."""
        assert self.jam.stop() == 0, self.jam.said
        self.wait_for_silence()
        self.replay()

    def replay(self, *, compare: bool = True) -> None:
        """Play the session again. `compare`: with its score, which is complete unless the command was killed."""
        again = self.folder / "again.mid"
        replayed = self.start("replay", self.session, "-o", again)
        assert replayed.wait() == 0, replayed.said
        assert "to the bit" in replayed.said
        if compare:
            assert again.read_bytes() == (self.session / "session.mid").read_bytes()
