"""A witness in a process of its own: writes down all MIDI that arrives at a port. It stands on no antiphon code.

(But for `--backend socket`, whose only implementation is antiphon's.) Prints `ready` once it listens; ends when its
standard input is closed. Each line of the file:
{"seconds": perf_counter, "frame": JACK's frame or null, "message": [...]}.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

Heard = deque[tuple[float, int | None, bytes]]


def listen_on_jack(client_name: str, source: str | None, heard: Heard) -> Callable[[], None]:
    """Listen with JACK-Client, to the frame."""
    import jack

    client = jack.Client(client_name, no_start_server=True)
    port = client.midi_inports.register("in")

    def process(frames: int) -> None:
        for offset, data in port.incoming_midi_events():
            heard.append((time.perf_counter(), client.last_frame_time + offset, bytes(data)))

    client.set_process_callback(process)
    client.activate()
    if source is not None:
        client.connect(source, port)
    return client.close


def listen_with_rtmidi(client_name: str, source: str | None, heard: Heard) -> Callable[[], None]:
    """Listen with python-rtmidi on JACK."""
    import rtmidi

    port = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=client_name)
    port.ignore_types(sysex=False, timing=False, active_sense=False)
    port.set_callback(lambda event, _: heard.append((time.perf_counter(), None, bytes(event[0]))))
    if source is None:
        port.open_virtual_port("in")
    else:
        port.open_port(port.get_ports().index(source), "in")
    return port.delete


def listen_on_sockets(client_name: str, source: str | None, heard: Heard) -> Callable[[], None]:
    """Listen to antiphon's own loopback ports."""
    from antiphon.midi.socket_backend import SocketBackend

    backend = SocketBackend(
        client_name, lambda work, name: threading.Thread(target=work, name=name, daemon=True).start()
    )
    backend.open_input(
        source or "in", lambda data, seconds: heard.append((seconds, None, data)), virtual=source is None
    )
    return backend.close


BACKENDS = {"jack": listen_on_jack, "rtmidi": listen_with_rtmidi, "socket": listen_on_sockets}


def main() -> None:
    """Listen until standard input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("file", type=Path, help="where to write")
    arguments.add_argument("--backend", choices=BACKENDS, default="jack")
    arguments.add_argument("--name", default="listener", help="name of the client")
    arguments.add_argument("--source", help="port to listen to; without it, others connect to NAME:in")
    options = arguments.parse_args()
    heard: Heard = deque()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    with options.file.open("w", encoding="utf-8") as file:
        close = BACKENDS[options.backend](options.name, options.source, heard)
        print("ready", flush=True)
        while not ended.wait(0.01) or heard:
            while heard:
                seconds, frame, message = heard.popleft()
                file.write(json.dumps({"seconds": seconds, "frame": frame, "message": list(message)}) + "\n")
            file.flush()
        close()


if __name__ == "__main__":
    main()
