from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from antiphon.cli.render import add_commands
from antiphon.errors import AntiphonError
from antiphon.music.messages import note_off, note_on
from antiphon.music.midi_file import Score, Track, write_score


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
