"""What a player sees of a live jam on a terminal, and that whatever they wished, turned and chose plays again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.music.messages import control_change, note_off, note_on, program_change

from .stage import Command, journal, sounding, wait_until

pytestmark = pytest.mark.usefixtures("socket_ports")

LOOKS = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "30", "PYTHONUTF8": "1"}
VOICE = '[[voice]]\ngenerator = "markov"\nmode = "continue"\nchannel = 2\nprogram = {program}\n'
KNOB = '[[controller]]\ncc = 1\ncontrol = "density"\n'
PRESETS = {"slow": VOICE.format(program=5), "fast": VOICE.format(program=10)}
SETLIST = 'presets = ["slow", "fast"]\nswitch = "bar"\n[remote]\nnext_cc = 81\npanic_cc = 80\nprogram_channels = [16]\n'


def test_the_screen_answers_and_a_switch_is_a_clean_cut(
    start: Callable[..., Command], listen, play, tmp_path: Path
) -> None:
    for name, text in PRESETS.items():
        (tmp_path / f"{name}.toml").write_text(text + KNOB)
    (tmp_path / "evening.toml").write_text(SETLIST)
    session = tmp_path / "session"
    ports = ["--in", "virtual", "--out", "virtual", "--midi", "socket"]
    wishes = ["--set", "temperature=0.4", "--key", "C minor"]
    jam = start("jam", tmp_path / "evening.toml", *ports, *wishes, "--session", session, terminal=True, **LOOKS)
    jam.wait_for("1 slow")
    jam.wait_for("next: fast")
    jam.wait_for("listening: it is your turn", 60)
    listener = listen("Antiphon:out", backend="socket")
    tune = [
        m
        for i, pitch in enumerate((60, 62, 63, 65, 67))
        for m in ((0.3 * i, note_on(0, pitch, 80)), (0.3 * i + 0.2, note_off(0, pitch)))
    ]
    play(
        [
            (0.0, control_change(0, 1, 127)),
            (0.3, control_change(0, 21, 5)),
            (0.6, program_change(15, 7)),
            *((1.0 + seconds, message) for seconds, message in tune),
            (4.0, note_on(0, 60, 80)),
            (6.0, note_off(0, 60)),
            (6.5, note_on(0, 64, 80)),
            (6.7, note_off(0, 64)),
            (10.0, control_change(0, 81, 127)),
            (15.0, control_change(0, 80, 127)),
        ],
        to="Antiphon:in",
        backend="socket",
    )
    jam.wait_for("density 1.00, mod wheel")
    jam.wait_for("cc 21 does nothing here; it is passed on")
    jam.wait_for("program 8 selects nothing")
    jam.wait_for("waiting: C4 is down")
    jam.wait_for("answering until you touch a key")
    jam.wait_for("next: fast on the bar")
    jam.wait_for("panic: everything is silent")
    jam.press("?")
    jam.wait_for("the metronome, on or off")
    jam.press("?7")
    jam.wait_for("the key 7 selects nothing: there are presets 1 to 2")
    jam.press("q")
    assert jam.wait() == 0, jam.said
    heard = [one.message for one in listener.close()]
    assert sounding(heard) == set()
    at = heard.index(program_change(1, 9))
    assert {key for key in sounding(heard[:at]) if key[0] == 1} == set(), "the old voice ended before the new program"
    lines = journal(session)
    (chosen,), (selected,) = ([line for line in lines if line["is"] == kind] for kind in ("Chosen", "Selected"))
    assert selected["ticks"] % 1920 == 0
    assert chosen["ticks"] <= selected["ticks"]
    assert next(line["panic"] for line in lines if line["is"] == "Ended") is True
    played = [m for m in heard if m[0] == 0x91 and m[2]]
    assert played
    assert {m[1] % 12 for m in played} <= {0, 2, 3, 5, 7, 8, 10}
    replayed = start("replay", session, "-o", tmp_path / "again.mid")
    assert replayed.wait() == 0, replayed.said
    assert "to the bit" in replayed.said
    wait_until(lambda: (tmp_path / "again.mid").exists(), "the score")
