"""What is said of a VAE: counted by hand where it can be, and of models that are plainly good or bad."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from songs import write_songs
from tiny_vaes import STEPS, music, write_vae
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.rolls.roll import ONSET, Roll
from antiphon_export.commands import add_commands
from antiphon_export.exporting.model_file import Label
from antiphon_export.vae.directions import attributes, find_directions
from antiphon_export.vae.evaluation import changes, evaluation, validation_rolls
from antiphon_export.vae.halves import Codes, Halves, is_vae, load_halves
from antiphon_export.vae.model_file import export_vae
from antiphon_export.vae.paths import pitch_classes, points, semitones, texture, texture_of_music, turning_back
from antiphon_export.vae.pictures import draw_pictures, draw_samples
from antiphon_export.vae.reconstruction import Hits, evenly, hits
from antiphon_export.vae.report import lines
from antiphon_plugins.vae.generator import DIRECTIONS

CELLS = STEPS * 3 * 88


def perfect() -> Halves:
    """A model whose code is the roll itself."""

    def encode(rolls: Roll) -> Codes:
        return rolls.reshape(len(rolls), -1)

    def decode(codes: Codes) -> Roll:
        return np.clip(codes.reshape(len(codes), STEPS, 3, 88), 0, 1)

    return Halves(STEPS, CELLS, encode, decode)


def always_the_same() -> Halves:
    """A model that has collapsed: whatever the code, one chord."""
    chord = music(1)

    def decode(codes: Codes) -> Roll:
        return np.repeat(chord, len(codes), axis=0)

    return Halves(STEPS, 4, lambda rolls: np.zeros((len(rolls), 4), np.float32), decode)


def painter() -> Halves:
    """A model whose code says how many notes there are, which, and how loud."""

    def decode(codes: Codes) -> Roll:
        rolls = np.zeros((len(codes), STEPS, 3, 88), np.float32)
        for roll, (density, key, velocity) in zip(rolls, codes, strict=True):
            count, first = round(float(20 * np.exp(density))), round(float(40 + key))
            places = np.arange(count) % STEPS, first + np.arange(count) // STEPS
            roll[places[0], ONSET, places[1]] = 1
            roll[places[0], 2, places[1]] = np.clip(0.6 + velocity, 0, 1)
        return rolls

    def encode(rolls: Roll) -> Codes:
        density, key, velocity = attributes(rolls).T
        return np.column_stack([density - np.log(20), key - 40, velocity / 127 - 0.6]).astype(np.float32)

    return Halves(STEPS, 3, encode, decode)


def test_notes_that_come_back_are_counted() -> None:
    rolls = np.zeros((1, STEPS, 3, 88), np.float32)
    rolls[0, [0, 4, 8, 12], ONSET, 40] = 1
    rebuilt = np.zeros_like(rolls)
    rebuilt[0, [0, 4, 8], ONSET, 40] = (0.9, 0.6, 0.3)
    rebuilt[0, 5, ONSET, 40] = 0.7
    half, low = hits([rolls], lambda _: rebuilt, (0.5, 0.25))
    assert half == Hits(2, 3, 4)
    assert low == Hits(3, 4, 4)
    assert (half.precision, half.recall, half.f1) == (2 / 3, 0.5, 4 / 7)


def test_windows_are_chosen_evenly() -> None:
    assert evenly(3, 9).tolist() == [0, 1, 2]
    assert evenly(9, 3).tolist() == [0, 3, 6]


def test_of_a_perfect_model_all_comes_back_and_ways_lead_from_end_to_end() -> None:
    found = evaluation(perfect(), music(40), 40, 15)
    assert (found.f1, found.lengths_right, found.velocity_error) == (1, 1, 0)
    assert found.way[0].like_a == found.way[-1].like_b == 1
    assert found.way[0].from_a == found.way[-1].from_b == 0
    assert found.pairs == 15
    assert all(point.sounding == 1 for point in found.way)


def test_a_collapsed_model_is_found_out() -> None:
    found = evaluation(always_the_same(), music(40), 40, 15)
    assert found.active == 0
    assert found.f1 < 0.8
    assert found.chance.alike == 1
    assert found.music.alike < 0.9


def test_ways_that_turn_back_are_found_out() -> None:
    way = points(perfect(), music(20), music(20, seed=1))
    assert way[0].place == 0
    assert way[-1].place == 1
    there = [replace(point, notes=n, semitones=n, from_a=n, from_b=-n) for n, point in enumerate(way)]
    assert turning_back(there) == 0
    there[4] = replace(there[4], semitones=1.0)
    assert turning_back(there) == 2 / 8


def test_texture_is_counted() -> None:
    notes = np.zeros((STEPS, 88), bool)
    notes[[0, 0, 4, 9], [39, 43, 46, 51]] = True  # C E G, and the C above
    hold = np.zeros((STEPS, 88), np.float32)
    hold[1:4, 39] = 1
    found = texture([notes, np.zeros_like(notes)], [hold, hold])
    assert (found.windows, found.sounding, found.notes, found.semitones) == (2, 0.5, 4, 12)
    assert found.together == pytest.approx(4 / 3)
    assert found.length_steps == 1 + 3 / 4
    assert found.on_beat == 0.75
    assert found.in_key == 1
    assert pitch_classes(notes)[3] == 0.5
    assert semitones(np.zeros_like(notes)) == 0


def test_music_by_rule_is_as_its_rule() -> None:
    found = texture_of_music(music(30))
    assert (found.windows, found.sounding, found.on_beat) == (30, 1, pytest.approx(7 / 11))


def test_directions_change_what_they_are_called_after() -> None:
    halves = painter()
    codes = np.random.default_rng(0).normal(scale=(0.3, 4.0, 0.1), size=(200, 3)).astype(np.float32)
    rolls = halves.decode(codes)
    directions = find_directions(codes, rolls, halves.decode)
    found = changes(replace(halves, directions=directions), codes, rolls)
    heard = {(change.direction, change.step): change for change in found}
    assert list(heard) == [(name, step) for name in DIRECTIONS for step in (1, -1)]
    for step in (1, -1):
        assert step * np.log(heard["density", step].notes) == pytest.approx(0.35, abs=0.1)
        assert step * heard["register", step].semitones == pytest.approx(5, abs=1)
        assert step * heard["loudness", step].velocity == pytest.approx(15, abs=2)
        assert heard["register", step].notes == pytest.approx(1, abs=0.1)
        assert abs(heard["loudness", step].semitones) < 1


def test_of_what_falls_silent_neither_pitch_nor_velocity_is_told() -> None:
    halves = replace(painter(), directions={"density": np.array([-2.5, 0, 0], np.float32)})
    codes = np.array([[-1.5, 0, 0]] * 2, np.float32)
    less, more = changes(halves, codes, halves.decode(codes))
    assert (less.notes, less.semitones, less.velocity) == (pytest.approx(1 / 4), 0, 0)
    assert more.notes == pytest.approx(54 / 4)


def test_attributes_are_those_of_the_notes() -> None:
    rolls = np.zeros((2, STEPS, 3, 88), np.float32)
    rolls[0, [0, 4], ONSET, [30, 40]] = 1
    rolls[0, [0, 4], 2, [30, 40]] = (0.5, 1.0)
    found = attributes(rolls)
    assert found[0].tolist() == pytest.approx([np.log(2), 35, 0.75 * 127])
    assert found[1, 0] == 0
    assert np.isnan(found[1, 1:]).all()


def test_a_checkpoint_and_its_file_are_judged_alike(tmp_path: Path) -> None:
    checkpoint, file = write_vae(tmp_path / "best.pt"), tmp_path / "tiny.onnx"
    export_vae(checkpoint, file, Label("tiny"))
    rolls = music(5)
    assert is_vae(checkpoint)
    assert is_vae(file)
    trained, stored = load_halves(checkpoint), load_halves(file)
    assert np.allclose(trained.rebuild(rolls), stored.rebuild(rolls), atol=1e-4)
    assert set(trained.directions) == set(DIRECTIONS)
    assert all((stored.directions[name] == way).all() for name, way in trained.directions.items())


def test_the_command_tells_of_the_validation_pieces(tmp_path: Path) -> None:
    add_commands(app) if "evaluate" not in {command.name for command in app.registered_commands} else None
    songs, checkpoint = write_songs(tmp_path / "songs"), write_vae(tmp_path / "best.pt")
    arguments = ["evaluate", str(checkpoint), str(songs), "--every", "2", "--threads", "1"]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert "notes that come back: F1" in told.stdout
    assert "12 numbers of a code are in use" in told.stdout
    assert [line.split(":")[0] for line in told.stdout.splitlines()[-6:]] == [
        f"{name} {way}" for name in DIRECTIONS for way in ("up", "down")
    ]
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert found["codec"] == "roll"
    assert len(found["way"]) == 9
    assert [change["direction"] for change in found["changes"][::2]] == list(DIRECTIONS)
    assert found["windows_in_all"] == validation_rolls(songs, STEPS)[1]
    assert found["windows"] == -(-found["windows_in_all"] // 2)


def test_a_report_has_a_line_for_every_place_of_the_way() -> None:
    found = lines(evaluation(perfect(), music(10), 10, 4))
    assert len(found) == 5 + 9 + 2
    assert found[5].split()[0] == "0.000"
    assert found[13].split()[0] == "1.000"


def test_pictures_are_drawn(tmp_path: Path) -> None:
    halves, rolls = perfect(), music(4)
    paths = draw_pictures(tmp_path, "tiny", halves, rolls)
    assert [path.name for path in paths] == ["tiny-rebuilt.png", "tiny-ways.png", "tiny-samples.png"]
    assert all(path.stat().st_size > 5000 for path in paths)
    with pytest.raises(AntiphonError, match="cannot write"):
        draw_samples(tmp_path / "nowhere" / "samples.png", halves, 1, 1)
