from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from antiphon.cli.render import add_commands
from antiphon.duet.events import Event, Heard
from antiphon.duet.plan import Plan
from antiphon.errors import AntiphonError
from antiphon.music.messages import control_change, note_off, note_on
from antiphon.music.midi_file import Score, Track, write_score
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Record


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    # With one command alone, typer would leave its name out.
    app.callback()(lambda: None)
    add_commands(app)
    return app


def write_piece(path: Path, channel: int = 0) -> Path:
    """Two beats at 120: one second of A4."""
    track = Track("piece", ((0, note_on(channel, 69, 90)), (960, note_off(channel, 69))))
    write_score(path, Score((track,)))
    return path


def record(folder: Path, *events: Event) -> Path:
    """A session in which this was heard."""
    journal = JournalWriter(folder, Header((Plan(),), ("synth",), {}, "2026-03-01T20:15:00+01:00"))
    journal.write(map(Record, events))
    journal.close()
    return folder


def read_wav(path: Path) -> tuple[int, np.ndarray]:
    with wave.open(str(path)) as file:
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def test_a_midi_file_becomes_a_wav_file(app: typer.Typer, tmp_path: Path) -> None:
    piece = write_piece(tmp_path / "in.mid")
    result = CliRunner().invoke(app, ["render", str(piece), "-o", str(tmp_path / "out.wav"), "--sample-rate", "44100"])
    assert result.exit_code == 0, result.output
    rate, samples = read_wav(tmp_path / "out.wav")
    assert rate == 44_100
    assert len(samples) == pytest.approx(4.0 * rate, abs=2)
    assert np.abs(samples[:rate]).max() > 1000
    # After the release and its tail only the dither is left.
    assert np.abs(samples[-rate:]).max() <= 1


def test_the_electric_piano_leaves_the_drums_out(app: typer.Typer, tmp_path: Path) -> None:
    piece = write_piece(tmp_path / "in.mid", channel=9)
    assert CliRunner().invoke(app, ["render", str(piece), "-o", str(tmp_path / "out.wav")]).exit_code == 0
    assert np.abs(read_wav(tmp_path / "out.wav")[1]).max() <= 1


def test_a_session_is_rendered_from_its_folder(app: typer.Typer, tmp_path: Path) -> None:
    folder = record(tmp_path / "session", Heard(0, note_on(0, 69, 90)), Heard(960, note_off(0, 69)))
    result = CliRunner().invoke(app, ["render", str(folder), "-o", str(tmp_path / "out.wav")])
    assert result.exit_code == 0, result.output
    rate, samples = read_wav(tmp_path / "out.wav")
    assert len(samples) == pytest.approx(4.0 * rate, abs=2)
    assert np.abs(samples[:rate]).max() > 1000


def test_a_session_in_which_nobody_played_is_named(app: typer.Typer, tmp_path: Path) -> None:
    folder = record(tmp_path / "session", Heard(0, control_change(0, 1, 3)))
    result = CliRunner().invoke(app, ["render", str(folder), "-o", str(tmp_path / "out.wav")])
    assert "nobody played in" in str(result.exception)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("name", ["s1.png", "s1.mid", "s1", "s1.mp3", ".wav"])
def test_a_name_that_no_sound_has_is_refused_before_anything_is_read(
    app: typer.Typer, tmp_path: Path, name: str
) -> None:
    result = CliRunner().invoke(app, ["render", str(tmp_path / "none.mid"), "-o", str(tmp_path / name)])
    assert isinstance(result.exception, AntiphonError)
    assert f"{name}' is no name for a WAV file; allowed: one that ends in .wav or .wave" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_named_and_nothing_is_written(app: typer.Typer, tmp_path: Path) -> None:
    output = tmp_path / "out.wav"
    missing = CliRunner().invoke(app, ["render", str(tmp_path / "none.mid"), "-o", str(output)])
    assert isinstance(missing.exception, AntiphonError)
    assert "none.mid" in str(missing.exception)
    piece = write_piece(tmp_path / "in.mid")
    no_font = CliRunner().invoke(
        app, ["render", str(piece), "-o", str(output), "--soundfont", str(tmp_path / "no.sf2")]
    )
    assert isinstance(no_font.exception, AntiphonError)
    assert "no.sf2" in str(no_font.exception)
    assert not output.exists()
