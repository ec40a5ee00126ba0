"""However a performance ends, no note sounds on, and what was played is kept."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.music.messages import BEND_REST, control_change, note_off, note_on, pitch_bend

from .conftest import Heard
from .scene import CALL, CHORD, RELEASE, Scene
from .stage import Command, journal, note_ons, sounding, wait_until

pytestmark = [pytest.mark.jack, pytest.mark.usefixtures("jack_server")]


def sent(session: Path) -> list[bytes]:
    return [bytes.fromhex(line["message"]) for line in journal(session) if line["is"] == "Send"]


def assert_journal_holds(session: Path, heard: list[Heard], killed_seconds: float) -> None:
    """All that was heard is on record, but for the last second at most."""
    early = note_ons(h.message for h in heard if h.seconds < killed_seconds - 1)
    assert early
    assert note_ons(sent(session))[: len(early)] == early


@pytest.mark.parametrize("farewell", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_chord_and_answer_ends_every_note(scene: Scene, farewell: signal.Signals) -> None:
    scene.begin()
    scene.jam.signal(farewell)
    assert scene.jam.wait() == 0, scene.jam.said
    assert f"recorded in {scene.session}" in scene.jam.said
    assert scene.jam.processes() == {}
    assert scene.jam.leftovers() == []
    scene.wait_for_silence()
    told = json.loads((scene.session / "session.json").read_text(encoding="utf-8"))
    assert told["hanging_notes"] == 0
    assert told["notes_played"] == len(note_ons(scene.messages(), 1))
    scene.replay()


def test_silence_follows_when_the_command_itself_is_killed(scene: Scene) -> None:
    scene.begin()
    scene.wait_for_music(8)
    killed_seconds = time.perf_counter()
    scene.jam.signal(signal.SIGKILL)
    scene.wait_for_silence()
    wait_until(lambda: not scene.jam.processes(), "everything ends", patience_seconds=10)
    assert scene.listener.heard()[-1].seconds - killed_seconds < 3
    assert_journal_holds(scene.session, scene.listener.heard(), killed_seconds)
    scene.replay(compare=False)


def test_the_journal_survives_when_everything_is_killed_at_once(scene: Scene) -> None:
    scene.begin()
    scene.wait_for_music(8)
    killed_seconds = time.perf_counter()
    scene.jam.kill_everything()
    assert_journal_holds(scene.session, scene.listener.heard(), killed_seconds)
    assert sounding(sent(scene.session)), "it was cut off in the middle of a chord"
    scene.replay(compare=False)


def test_the_keys_of_a_vanished_keyboard_come_up_and_it_is_heard_again_when_it_returns(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    set_off = [control_change(0, 64, 30), control_change(0, 67, 127), pitch_bend(0, 9000)]
    held = play([*CHORD, *((0.0, message) for message in set_off), *RELEASE], name="keys")
    jam = start("jam", "--in", "keys", "--out", "virtual", "--session", tmp_path / "session")
    jam.wait_for("listening to keys:out")
    # It plays as soon as somebody listens to it; whoever listens to Antiphon may be later.
    wait_until(lambda: len(sounding(sent(tmp_path / "session"))) == 3, "the chord sounds")
    listener = listen("Antiphon:out")
    held.close()
    jam.wait_for("keys:out: gone")

    def messages() -> list[bytes]:
        return [heard.message for heard in listener.heard()]

    up = [note_off(0, pitch) for pitch in (36, 43, 48)]
    back = [control_change(0, 64, 0), control_change(0, 67, 0), pitch_bend(0, BEND_REST)]
    wait_until(lambda: {*up, *back} <= set(messages()), "keys and pedals come up, and the bend goes back")
    engine = jam.processes()["engine"]
    play(CALL, name="keys")
    jam.wait_for("keys:out: back")
    wait_until(lambda: len(note_ons(messages(), 0)) == 4, "the keyboard is heard again")
    assert jam.processes()["engine"] == engine
    assert jam.stop() == 0
    assert sounding(messages()) == set()


def test_the_keys_of_a_keyboard_that_was_unplugged_from_our_own_port_come_up(scene: Scene) -> None:
    scene.begin()
    scene.keyboard.close()
    wait_until(lambda: not {n for n in sounding(scene.messages()) if n[0] == 0}, "the chord ends")
    scene.wait_for_music()
    scene.end()


def test_a_synth_that_was_away_is_told_what_it_missed(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    synth = listen(name="synth-in")
    jam = start("jam", "--in", "virtual", "--out", "synth-in", "--session", tmp_path / "session", "--midi", "jack")
    jam.wait_for("ready in")
    play([*CHORD, (2.0, note_off(0, 36)), (60.0, note_off(0, 43))], to="Antiphon:in")
    before = [h.message for h in synth.wait_for(3)]
    assert sounding(before) == {(0, 36), (0, 43), (0, 48)}
    before = [h.message for h in synth.close()]
    jam.wait_for("synth-in:in: output gone")
    wait_until(lambda: note_off(0, 36) in sent(tmp_path / "session"), "a key comes up meanwhile")
    again = listen(name="synth-in")
    jam.wait_for("synth-in: output back")
    wait_until(lambda: not sounding(before + [h.message for h in again.heard()]), "what sounded there ends")
    play([(0.0, note_on(0, 72, 80)), (0.1, note_off(0, 72))], to="Antiphon:in", name="other")
    wait_until(lambda: note_on(0, 72, 80) in [h.message for h in again.heard()], "it is played to again")
    assert jam.stop() == 0
