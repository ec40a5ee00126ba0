"""A musician in a process of their own who is in an Ableton Link session, as their own clock and beats have it.

It stands on no antiphon code (but for the socket ports, whose only implementation is antiphon's). Prints `ready`; ends
when its standard input is closed. What it is told there, a line each: `play`, `stop`, `tempo BPM`, `listen SOURCE`,
`connect DESTINATION`, `send BYTE …`. What it prints, a JSON object a line, as it happens: {"peers": …}, {"tempo": …},
{"message": [...], "beats": place in the session as the message came in, "bpm": …}.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from typing import Any

from antiphon.midi.socket_backend import SocketBackend

BAR_BEATS = 4.0


def spawn(work: Any, name: str) -> None:
    """What the ports need."""
    threading.Thread(target=work, name=name, daemon=True).start()


class Peer:
    """One program in the session."""

    def __init__(self, bpm: float) -> None:
        from link import Link

        self.link = Link(bpm)
        self.link.startStopSyncEnabled = True
        self.link.enabled = True
        self.ports = SocketBackend("peer", spawn)
        self.told = threading.Lock()

    def say(self, **what: Any) -> None:
        """One line."""
        with self.told:
            print(json.dumps(what), flush=True)

    def watch(self) -> None:
        """Tell what changes in the session."""
        before: dict[str, Any] = {}
        while True:
            now = {"peers": self.link.numPeers(), "tempo": round(self.link.captureAppSessionState().tempo(), 2)}
            for name, value in now.items():
                if before.get(name) != value:
                    self.say(**{name: value})
            before = now
            time.sleep(0.02)

    def heard(self, message: bytes, seconds: float) -> None:
        """A message came in at `seconds` of `perf_counter`."""
        state = self.link.captureAppSessionState()
        micros = self.link.clock().micros() - round(1e6 * (time.perf_counter() - seconds))
        self.say(message=list(message), beats=state.beatAtTime(micros, BAR_BEATS), bpm=state.tempo())

    def obey(self, word: str, *details: str) -> None:
        """Do as told."""
        state, now = self.link.captureAppSessionState(), self.link.clock().micros()
        if word in ("play", "stop"):
            state.setIsPlaying(word == "play", now)
        elif word == "tempo":
            state.setTempo(float(details[0]), now)
        elif word == "listen":
            self.ports.open_input(details[0], self.heard)
            return
        elif word == "connect":
            self.port = self.ports.open_output(details[0])
            return
        else:
            self.port.send(bytes(map(int, details)))
            return
        self.link.commitAppSessionState(state)


def main() -> None:
    """Play along until standard input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("bpm", type=float, help="tempo, unless there is a session already")
    peer = Peer(arguments.parse_args().bpm)
    print("ready", flush=True)
    spawn(peer.watch, "watch")
    for line in sys.stdin:
        peer.obey(*line.split())
    peer.ports.close()
    peer.link.enabled = False


if __name__ == "__main__":
    main()
