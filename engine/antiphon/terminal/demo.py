"""The demo: a phrase played into a real port by another process, answered live, left behind as files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from antiphon.duet.modes import MODES
from antiphon.duet.plan import Plan
from antiphon.errors import AntiphonError
from antiphon.generator import Device
from antiphon.music.midi_file import Score, Track, read_score
from antiphon.processes.runtime import Process
from antiphon.processes.shared_folder import SharedFolder, open_shared_folder
from antiphon.processes.sound import SoundSetup
from antiphon.processes.supervisor import Supervisor
from antiphon.session.journal import Session, read_session
from antiphon.session.percentiles import percentiles
from antiphon.session.summary import answer_latencies, score_of, title_of
from antiphon.terminal.demo_keyboard import DOWNBEAT, KEYBOARD, KEYBOARD_NAME, PHRASE, bundled
from antiphon.terminal.live import LiveOptions, perform

_CALLS: Final = "call"
"""What is played to voices that answer or go on: three calls."""
_GROOVE: Final = "wheel"
"""What is played to voices that travel from one end to the other: a groove, then the modulation wheel."""
_LEAD_SECONDS: Final = 0.5
"""Between everybody being ready and the first note."""
_ANSWER_SECONDS: Final = 5.0
"""Time for the answer to the last call."""
_START_SECONDS: Final = 10.0


def play_demo(
    plans: Sequence[Plan], folder: Path, sound: SoundSetup, origins: Mapping[str, str], device: Device = "auto"
) -> Session:
    """Play a bundled phrase to the first of `plans`, live, recorded in `folder`.

    Raises:
        AntiphonError: the keyboard's process does not start, or the performance cannot.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    phrase = _GROOVE if any(MODES[voice.mode].keeps_place for voice in plans[0].voices) else _CALLS
    shared = open_shared_folder()
    keyboard = Process("keyboard", shared, 0, folder / "keyboard.log")
    try:
        shared.leave(PHRASE, phrase)
        backend, port = _wait_for_keyboard(shared, keyboard)
        # A name that only this run has: another demo, or a keyboard called the same, is not meant.
        plans = [replace(plan, inputs=(port,)) for plan in plans]
        length = read_score(bundled(phrase)).timed_messages()[-1][0]
        downbeat: list[float] = []

        def start(_: Supervisor) -> None:
            downbeat.append(time.perf_counter() + _LEAD_SECONDS)
            shared.leave(DOWNBEAT, downbeat[0])

        def over(_: Supervisor) -> bool:
            return bool(downbeat) and time.perf_counter() > downbeat[0] + length + _ANSWER_SECONDS

        perform(plans, LiveOptions(folder, backend, sound, dict(origins), device), over=over, on_ready=start)
    finally:
        keyboard.stop(1.0)
        shared.clear()
    return read_session(folder)


def _wait_for_keyboard(shared: SharedFolder, keyboard: Process) -> tuple[str, str]:
    until = time.perf_counter() + _START_SECONDS
    while (found := shared.find(KEYBOARD)) is None:
        if keyboard.exit_code() is not None or time.perf_counter() > until:
            raise AntiphonError(f"{KEYBOARD_NAME} does not start; see {keyboard.log}")
        time.sleep(0.01)
    return found


def leave_duet(session: Session, folder: Path, soundfont: Path | None = None) -> Iterator[str]:
    """Write `duet.mid`, `duet.wav` and `duet.png` into `folder`; yields what to tell a person."""
    from antiphon.music.midi_file import write_score
    from antiphon.session.pianoroll import draw

    score = _from_first_note(score_of(session.header, session.records))
    write_score(folder / "duet.mid", score)
    yield f"{folder / 'duet.mid'}: both parts"
    _write_sound(score, folder / "duet.wav", soundfont)
    yield f"{folder / 'duet.wav'}: what it sounds like"
    try:
        draw(folder / "duet.png", score, title=title_of(session.header))
        yield f"{folder / 'duet.png'}: what it looks like"
    except AntiphonError as error:
        yield f"no {folder / 'duet.png'}: {error}"
    yield f"{folder / 'session.json'}: {_summary(session)}"


def _from_first_note(score: Score) -> Score:
    """The score from the bar in which the music begins."""
    first = min((track.messages[0][0] for track in score.tracks if track.messages), default=0)
    bar_ticks = score.timeline().signature.bar_ticks
    start = first // bar_ticks * bar_ticks

    def moved(events: Sequence[tuple[int, Any]]) -> tuple[tuple[int, Any], ...]:
        return tuple((max(0, ticks - start), what) for ticks, what in events)

    tracks = tuple(Track(track.name, moved(track.messages)) for track in score.tracks)
    return Score(tracks, moved(score.tempo), moved(score.signatures), moved(score.markers))


def _write_sound(score: Score, path: Path, soundfont: Path | None) -> None:
    from antiphon.sound.synth import ElectricPiano, Synth
    from antiphon.sound.wav import write_performance

    synth: Synth = ElectricPiano()
    if soundfont is not None:
        from antiphon.sound.soundfont import SoundFont

        synth = SoundFont(soundfont)
    write_performance(path, score.timed_messages(), synth)


def _summary(session: Session) -> str:
    figures = percentiles([1000 * seconds for seconds in answer_latencies(session.header, session.records)])
    if figures is None:
        return "no answer was played"
    return f"{figures['n']} answers, the first note after p50 {figures['p50']:.1f} ms, at most {figures['max']:.1f} ms"
