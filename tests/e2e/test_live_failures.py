"""Whatever is killed or hangs while it plays, every note ends, and the music goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.music.messages import note_off, note_on, program_change

from .conftest import JackServer
from .scene import CALL, Scene
from .stage import Command, decisions, journal, sounding, wait_until

PRESET = """
[[voice]]
mode = "continue"
channel = 2
handover = { by = "pedal" }
"""

pytestmark = [pytest.mark.jack, pytest.mark.usefixtures("jack_server")]


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_an_engine_that_dies_or_hangs_is_replaced_and_its_notes_end(scene: Scene, blow: signal.Signals) -> None:
    scene.begin()
    before = scene.jam.processes()
    scene.jam.signal(blow, "engine")
    scene.jam.wait_for("engine restarted")
    scene.wait_for_silence()
    after = scene.jam.processes()
    assert before["engine"] != after["engine"]
    assert {**before, "engine": 0} == {**after, "engine": 0}, "the players go on with the new engine"
    scene.call_again()
    scene.end()
    assert any(line["is"] == "Restarted" for line in journal(scene.session))


def test_no_note_is_lost_on_its_way_when_the_engine_dies_in_a_storm_of_them(scene: Scene) -> None:
    scene.begin()
    # A note-off may have been sent and still lie in the dying process: every moment is a bad one here.
    # No key comes twice, so that no later note-off makes up for one that was lost.
    keys = [(2 + number // 128, number % 128) for number in range(1700)]
    storm = [(0.008 * number, note_on(*key, 80)) for number, key in enumerate(keys)]
    storm += [(0.008 * number + 0.004, note_off(*key)) for number, key in enumerate(keys)]
    keyboard = scene.play(sorted(storm), to=scene.port, name="storm")
    for number in range(3):
        before = len(scene.messages())
        wait_until(lambda before=before: len(scene.messages()) > before + 100, "the storm passes through")
        scene.jam.signal(signal.SIGKILL, "engine")
        wait_until(lambda number=number: scene.jam.said.count("engine restarted") > number, "another engine")
    keyboard.close()
    scene.wait_for_silence()
    scene.end()


def test_an_engine_that_takes_over_goes_on_with_the_preset_that_was_chosen(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.toml").write_text(f"{PRESET}program = {10 * number}\n", encoding="utf-8")
    setlist = tmp_path / "set.toml"
    setlist.write_text('presets = ["1", "2"]\nswitch = "answer"\n', encoding="utf-8")
    session = tmp_path / "session"
    ports = ["--in", "virtual", "--out", "virtual", "--midi", "jack"]
    jam = start("jam", setlist, *ports, "--session", session)
    jam.wait_for("ready in")
    listener = listen("Antiphon:out")
    keyboard = play([*CALL, (CALL[-1][0] + 1.0, program_change(0, 1))], to="Antiphon:in")
    # The voice plays on and on, so that what was chosen has to wait.
    wait_until(lambda: recorded(session, "Chosen"), "the second preset is chosen")
    keyboard.close()
    assert recorded(session, "Selected") == []
    jam.signal(signal.SIGKILL, "engine")
    wait_until(lambda: recorded(session, "Selected"), "the second preset plays")
    wait_until(lambda: program_change(1, 19) in [one.message for one in listener.heard()], "its sound is chosen")
    assert jam.stop() == 0, jam.said
    assert sounding([one.message for one in listener.close()]) == set()
    assert [line["plan"] for kind in ("Restarted", "Selected") for line in recorded(session, kind)] == [0, 1]
    again = tmp_path / "again.mid"
    assert start("replay", session, "-o", again).wait() == 0
    assert again.read_bytes() == (session / "session.mid").read_bytes()


def recorded(session: Path, kind: str) -> list[dict[str, Any]]:
    """What a session's journal has of one kind of event."""
    return [line for line in journal(session) if line["is"] == kind]


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_a_player_that_dies_or_hangs_is_stood_in_for_and_replaced(scene: Scene, blow: signal.Signals) -> None:
    scene.begin()
    before = scene.jam.processes()
    scene.jam.signal(blow, "player 2")
    wait_until(lambda: decisions(scene.session, "fallback"), "the fallback plays")
    scene.wait_for_music()
    scene.jam.wait_for("player restarted")
    wait_until(lambda: len(scene.seated()) == 3, "the new player is seated")
    after = scene.jam.processes()
    assert {**before, "player 2": 0} == {**after, "player 2": 0}, "only the player is replaced"
    stood_in = len(decisions(scene.session, "fallback"))
    scene.call_again()
    assert len(decisions(scene.session, "fallback")) == stood_in, "the new player plays itself"
    scene.end()


def test_notes_end_when_the_jack_server_was_killed_and_is_back(scene: Scene, jack_server: JackServer) -> None:
    scene.begin()
    before = scene.jam.processes()
    jack_server.kill()
    try:
        scene.jam.wait_for("system gone")
    finally:
        jack_server.start()
    scene.jam.wait_for("jack: system back")
    # Whatever the listener stands for still sounds; it has been plugged in again.
    scene.listen_again()
    scene.wait_for_silence()
    assert scene.jam.processes() == before, "one process is enough to survive it"
    scene.call_again()
    scene.end()


def test_an_engine_that_its_midi_library_froze_is_replaced(scene: Scene, jack_server: JackServer) -> None:
    scene.begin("rtmidi", "Antiphon input:in", terminal=True)
    before = scene.jam.processes()
    jack_server.kill()
    try:
        # rtmidi notices nothing, and freezes after some 2,300 messages; a panic sends 64.
        scene.jam.press("p" * 50)
        scene.jam.wait_for("engine restarted")
        assert scene.jam.processes()["engine"] != before["engine"]
    finally:
        jack_server.start()
    scene.jam.wait_for("rtmidi: system back")
    scene.listen_again()
    scene.wait_for_silence()
    scene.call_again()
    scene.end()
