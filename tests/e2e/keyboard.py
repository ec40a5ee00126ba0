"""A musician in a process of their own: plays timed MIDI messages into a port. It stands on no antiphon code.

(But for `--backend socket`, whose only implementation is antiphon's.) Reads a JSON list of [seconds, [bytes]], prints
`ready` once its port NAME:out is there, and `playing` with the `perf_counter` of second 0. It then plays, waits for
the last message to leave, and ends. Without `--to`, it begins when somebody has connected to NAME:out.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from pathlib import Path

Score = list[tuple[float, bytes]]

PATIENCE_SECONDS = 60.0
"""How long to wait for somebody to connect."""


def wait_until(happened: threading.Event) -> None:
    """Raises TimeoutError after `PATIENCE_SECONDS`."""
    if not happened.wait(PATIENCE_SECONDS):
        raise TimeoutError("nobody connected to the keyboard")


def play_on_jack(client_name: str, destination: str | None, score: Score, settle_seconds: float) -> None:
    """Play with JACK-Client, to the frame."""
    import jack

    client = jack.Client(client_name, no_start_server=True)
    port = client.midi_outports.register("out")
    started, finished = threading.Event(), threading.Event()
    left = [(round(seconds * client.samplerate), message) for seconds, message in reversed(score)]
    origin = 0

    def process(frames: int) -> None:
        port.clear_buffer()
        if not started.is_set():
            return
        begin = client.last_frame_time - origin
        for _ in range(2 * frames):
            if not left or left[-1][0] >= begin + frames:
                break
            port.write_midi_event(max(0, left[-1][0] - begin), left[-1][1])
            left.pop()
        if not left:
            finished.set()

    client.set_process_callback(process)
    connected = threading.Event()
    client.set_port_connect_callback(
        lambda source, _, joined: connected.set() if joined and client.owns(source) else None
    )
    client.activate()
    if destination is not None:
        client.connect(port, destination)
    print("ready", flush=True)
    wait_until(connected)
    time.sleep(settle_seconds)
    origin = client.last_frame_time + 2 * client.blocksize
    started.set()
    print("playing", time.perf_counter() + 2 * client.blocksize / client.samplerate, flush=True)
    finished.wait()
    time.sleep(4 * client.blocksize / client.samplerate)
    client.deactivate()
    client.close()


def play_with_rtmidi(client_name: str, destination: str | None, score: Score, settle_seconds: float) -> None:
    """Play with python-rtmidi on JACK; who listens to NAME:out has to connect within `settle_seconds`."""
    import rtmidi

    port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=client_name)
    if destination is None:
        port.open_virtual_port("out")
    else:
        port.open_port(port.get_ports().index(destination), "out")
    print("ready", flush=True)
    time.sleep(settle_seconds)
    play_when_due(score, port.send_message)
    port.close_port()
    port.delete()


def play_on_sockets(client_name: str, destination: str | None, score: Score, settle_seconds: float) -> None:
    """Play on antiphon's own loopback ports; the same holds as for rtmidi."""
    from antiphon.midi.socket_backend import SocketBackend

    backend = SocketBackend(
        client_name, lambda work, name: threading.Thread(target=work, name=name, daemon=True).start()
    )
    port = backend.open_output(destination or "out", virtual=destination is None)
    print("ready", flush=True)
    time.sleep(settle_seconds)
    play_when_due(score, port.send)
    backend.close()


def play_when_due(score: Score, send: object) -> None:
    """Sleep from message to message."""
    assert callable(send)
    origin = time.perf_counter()
    print("playing", origin, flush=True)
    for seconds, message in score:
        remaining = origin + seconds - time.perf_counter()
        if remaining > 0:
            time.sleep(remaining)
        send(message)


BACKENDS = {"jack": play_on_jack, "rtmidi": play_with_rtmidi, "socket": play_on_sockets}


def main() -> None:
    """Play the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("file", type=Path, help="what to play")
    arguments.add_argument("--backend", choices=BACKENDS, default="jack")
    arguments.add_argument("--name", default="keyboard", help="name of the client")
    arguments.add_argument("--to", help="port to play into; without it, others connect to NAME:out")
    arguments.add_argument("--settle", type=float, default=0.2, help="seconds to wait before the first message")
    options = arguments.parse_args()
    score = [(seconds, bytes(message)) for seconds, message in json.loads(options.file.read_text(encoding="utf-8"))]
    BACKENDS[options.backend](options.name, options.to, score, options.settle)


if __name__ == "__main__":
    main()
