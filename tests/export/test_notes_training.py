"""Training models of notes: pieces, windows, loop, file and evaluation; tiny models on music made by rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from songs import write_song, write_songs
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon.models.card import ModelError
from antiphon.models.loading import load_model
from antiphon.note_steps.codec import EDGE, LIFT, MACHINE, PLAYER
from antiphon.note_steps.model import load_note_model
from antiphon.note_steps.words import ASKED, BAG, PART, PITCH
from antiphon_export.commands import add_commands
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_export.exporting.note_parity import check_note_parity
from antiphon_export.midi_folder import Corpus
from antiphon_export.notes.batch import Batch, nats
from antiphon_export.notes.beats import Bars, bar_phase, lattice_offset, read_beats, without_upbeat
from antiphon_export.notes.objective import NoteJudgement, NoteObjective, NoteRecipe
from antiphon_export.notes.pieces import (
    NotePiece,
    NoteShelf,
    phrase_ends,
    read_note_pieces,
    read_note_shelves,
    score_reader,
)
from antiphon_export.notes.scorer import note_scorer
from antiphon_export.notes.windows import NoteWindows, still_windows
from antiphon_export.training.architectures import restored_model
from antiphon_export.training.loop import Trainer
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_export.training.windows import STILL, Augmentation
from antiphon_plugins.notes.model import Model

TINY = {"window": 24, "width": 32, "layers": 1, "heads": 2, "feed_forward": 32, "head_width": 16}
TINY_OPTIONS = [
    *("--width", "32", "--layers", "1", "--heads", "2", "--feed-forward", "32", "--head-width", "16"),
    *("--window", "24", "--length", "32", "--batch", "2", "--threads", "1", "--warm-up", "2"),
]
RUNNER = CliRunner()


@pytest.fixture(scope="module", autouse=True)
def _commands() -> None:
    if not any(group.name == "train" for group in app.registered_groups):
        add_commands(app)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_songs(tmp_path / "songs")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = Model(**TINY)
    weights = {name: weight + 0.1 * torch.randn_like(weight) for name, weight in model.state_dict().items()}
    weights["words.weight"][0] = weights["given.weight"][0] = 0
    content = {
        "model": weights,
        "architecture": "note-transformer",
        "settings": model.settings,
        "codec": "notes",
        "codec_version": 1,
        "window": TINY["window"],
        "corpora": [{"name": "scales", "weight": 1.0, "pieces": 3}],
    }
    torch.save(content, tmp_path / "best.pt")
    return tmp_path / "best.pt"


# ---- beats -----------------------------------------------------------------------------------------------------------


def bars_of(upbeat_ticks: int, bar_ticks: int = 1920) -> np.ndarray:
    """Eight bars of a bass that changes at each bar line and chords after it, begun with an upbeat."""
    notes = [[upbeat_ticks - 240, 67, 240, 0]] if upbeat_ticks else []
    for bar in range(8):
        start = upbeat_ticks + bar * bar_ticks
        root = (48, 53, 55, 50)[bar % 4]
        notes.append([start, root, bar_ticks, 0])
        for beat in range(0, bar_ticks, 480):
            notes += [[start + beat, root + 16, 240, 0], [start + beat + 240, root + 19, 240, 0]]
    return np.array(sorted(notes), dtype=np.int64)


@pytest.mark.parametrize("upbeat_ticks", [0, 240, 480, 960, 1440])
def test_the_bar_is_found_whatever_upbeat_the_music_begins_with(upbeat_ticks: int) -> None:
    assert bar_phase(bars_of(upbeat_ticks), 1920) == upbeat_ticks


def test_bars_begin_before_the_upbeat() -> None:
    starts = np.arange(0, 9 * 1920, 1920)
    moved = without_upbeat(Bars(starts, np.full(len(starts), 1920)), bars_of(480))
    assert moved.starts[:2].tolist() == [480 - 1920, 480]
    start, length = moved.around(np.array([0, 480, 500]))
    assert (start.tolist(), length.tolist()) == ([-1440, 480, 480], [1920, 1920, 1920])


@pytest.mark.parametrize("offset", [-50, -20, 0, 13, 40])
def test_a_constant_offset_from_the_lattice_is_found(offset: int) -> None:
    onsets = np.arange(200) * 120 + offset
    assert lattice_offset(onsets) == pytest.approx(offset, abs=1e-6)


def test_annotated_beats_say_where_the_notes_are(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    lines = [f"{0.3 + 0.5 * beat} 0 {int(beat % 4 == 1)}" for beat in range(12)]
    (tmp_path / "one" / "beat_midi.txt").write_text("\n".join(lines))
    beats = read_beats(tmp_path, "one")
    assert beats is not None
    assert np.allclose(beats.ticks_of(np.array([0.05, 0.3, 0.55, 6.3])), [-240, 0, 240, 12 * 480])
    assert beats.bars.starts.tolist() == [480, 2400, 4320]
    assert read_beats(tmp_path, "two") is None


@pytest.mark.parametrize("text", ["1 0 1\n0.5 0 0", "soon", "1 0 1"])
def test_damaged_annotations_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "beat_midi.txt").write_text(text)
    with pytest.raises(AntiphonError, match=r"beat_midi\.txt"):
        read_beats(tmp_path, "one")


# ---- pieces and windows ----------------------------------------------------------------------------------------------


def test_what_is_played_on_a_grid_is_read_by_both_clocks(folder: Path) -> None:
    free, beat = read_note_pieces(folder / "0.mid", "train")
    assert (free.clock, beat.clock) == ("free", "beat")
    assert free.track_count == beat.track_count == 2
    assert beat.bars is not None
    assert (beat.rows[:, 0] % 120 == 0).all()
    assert free.rows[1, 0] == beat.rows[1, 0] * 960 // 960  # at 120 bpm both clocks tick alike


def test_where_a_corpus_is_read_twice_each_half_counts_half(folder: Path) -> None:
    shelves = read_note_shelves([Corpus(folder, 3.0)], "train")
    assert [(shelf.clock, shelf.weight) for shelf in shelves] == [("free", 1.5), ("beat", 1.5)]


def test_phrases_end_where_the_music_rests() -> None:
    rows = np.array([[0, 60, 480, 0], [480, 62, 480, 0], [1920, 64, 480, 0], [2400, 65, 960, 0]])
    assert phrase_ends(rows, "beat").tolist() == [960, 3360]


def test_windows_have_their_length_even_if_pieces_are_short(folder: Path) -> None:
    windows = NoteWindows(read_note_shelves([Corpus(folder)], "train"))
    random = np.random.default_rng(0)
    drawn = [windows.draw(random, 700, Augmentation()) for _ in range(12)]
    assert {reading.bags.shape for reading in drawn} == {(701, BAG)}
    edges = [(reading.bags[:, 4] == PITCH + EDGE).sum() for reading in drawn]
    assert max(edges) >= 2  # pieces begin and end within


def test_player_and_machine_share_the_notes_in_many_ways(folder: Path) -> None:
    windows = NoteWindows(read_note_shelves([Corpus(folder)], "train"))
    random = np.random.default_rng(0)
    drawn = [windows.draw(random, 64, Augmentation()) for _ in range(80)]
    players = [(reading.bags[:, 3] == PART + PLAYER).mean() for reading in drawn]
    assert min(players) == 0
    assert max(players) > 0.2
    asked = [reading for reading in drawn if (reading.bags[:, 2] == ASKED).any()]
    assert asked
    for reading in asked:
        assert set(reading.part[reading.part >= 0].tolist()) <= set(range(MACHINE, 8))


def test_the_same_seed_draws_the_same_window(folder: Path) -> None:
    windows = NoteWindows(read_note_shelves([Corpus(folder)], "train"))
    one, two = (windows.draw(np.random.default_rng(5), 40, Augmentation()) for _ in range(2))
    assert (one.bags == two.bags).all()
    assert (one.length == two.length).all()


def test_all_notes_of_a_piece_are_foretold_once(folder: Path) -> None:
    for piece in read_note_pieces(folder / "3.mid", "valid"):
        readings = still_windows(piece, 33)
        said = np.concatenate([reading.pitch for reading in readings])
        assert ((said >= 0) & (said < LIFT)).sum() == len(piece.rows) - 1  # all but the first


def test_moved_notes_are_elsewhere_in_their_bars(folder: Path) -> None:
    (_, piece) = read_note_pieces(folder / "3.mid", "valid")
    plain, moved = (still_windows(piece, 64, moved_units=units)[0] for units in (0, 6))
    assert (plain.bags[:, 9] != moved.bags[:, 9]).all()
    assert (plain.bags[:, :9] == moved.bags[:, :9]).all()


# ---- training --------------------------------------------------------------------------------------------------------


def train(folder: Path, out: Path, *more: str) -> str:
    result = RUNNER.invoke(app, ["train", "notes", f"{folder}=1", "--out", str(out), *TINY_OPTIONS, *more])
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def trainer_of(shelves: list[NoteShelf], recipe: NoteRecipe) -> Trainer[Batch, NoteJudgement]:
    torch.manual_seed(1)
    windows, cpu = NoteWindows(shelves), torch.device("cpu")
    valid = {"songs": [Batch.of([windows.draw(np.random.default_rng(0), recipe.length, STILL)], recipe.length)]}
    return Trainer(NoteObjective(Model(**TINY), windows, valid, {"songs": 1.0}, recipe, cpu, {}))


def test_a_model_learns_a_rule(folder: Path) -> None:
    shelves = read_note_shelves([Corpus(folder)], "train")
    recipe = NoteRecipe(60, 4, 64, warm_up_steps=5, augmentation=STILL)
    losses = [progress.loss for progress in trainer_of(shelves, recipe).run(1e9)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_a_run_that_was_killed_goes_on_exactly(folder: Path, tmp_path: Path) -> None:
    shelves = read_note_shelves([Corpus(folder)], "train")

    recipe = NoteRecipe(6, 2, 32, warm_up_steps=2)
    losses = [progress.loss for progress in trainer_of(shelves, recipe).run(1e9)]
    first = trainer_of(shelves, recipe)
    for progress in first.run(1e9):
        if progress.step == 3:
            break
    torch.save(first.checkpoint(), tmp_path / "state.pt")
    second = trainer_of(shelves, recipe)
    second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    assert [progress.loss for progress in second.run(1e9)] == losses[3:]


def test_a_run_leaves_checkpoints_a_log_and_a_branch_that_cools_down(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(folder, out, "--steps", "4")
    assert {"last.pt", "best.pt", "log.csv", "curve.png", "run.json"} <= {path.name for path in out.iterdir()}
    assert json.loads((out / "run.json").read_text())["parameters"] > 0
    last = load_checkpoint(out / "last.pt")
    assert last["step"] == 4
    train(folder, out, "--steps", "6")
    assert load_checkpoint(out / "last.pt")["step"] == 6
    branch = tmp_path / "branch"
    train(folder, branch, "--from", str(out / "last.pt"), "--cool-down", "3")
    cooled = load_checkpoint(branch / "last.pt")
    assert cooled["step"] == 9
    assert cooled["notes"] > load_checkpoint(out / "last.pt")["notes"]
    assert cooled["optimizers"][0]["param_groups"][0]["lr"] == pytest.approx(0.003 / 3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--cool-down", "5"], "--from"),
        (["--width", "36"], "multiple of 8"),
        (["--beats", "nowhere"], "not a folder"),
    ],
)
def test_wrong_options_are_told(folder: Path, tmp_path: Path, options: list[str], told: str) -> None:
    arguments = ["train", "notes", str(folder), "--out", str(tmp_path / "run"), *TINY_OPTIONS, *options]
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code != 0
    assert told in str(result.exception)


# ---- files -----------------------------------------------------------------------------------------------------------


def test_a_file_computes_what_pytorch_does_through_rewinds_and_round_the_ring(checkpoint: Path, tmp_path: Path) -> None:
    card = export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"), rewind=30, chunk=8)
    reference = restored_model(load_checkpoint(checkpoint))
    assert isinstance(reference, Model)
    parity = check_note_parity(reference, load_note_model(tmp_path / "toy.onnx"), steps=200)
    assert parity.steps > card.capacity
    assert parity.rewinds > 10
    assert parity.largest_difference < 1e-4
    assert parity.divergence < 1e-9


def test_in_8_bits_it_says_nearly_the_same(checkpoint: Path, tmp_path: Path) -> None:
    export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"), precision="int8", rewind=30, chunk=8)
    reference = restored_model(load_checkpoint(checkpoint))
    assert isinstance(reference, Model)
    parity = check_note_parity(reference, load_note_model(tmp_path / "toy.onnx"), steps=100)
    assert 1e-9 < parity.divergence < 0.05


def test_file_and_checkpoint_are_scored_alike(checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"), rewind=30, chunk=8)
    piece = read_note_pieces(folder / "3.mid", "valid")[0]
    batch = Batch.of(still_windows(piece, 25)[:2])
    costs = [note_scorer(path)(batch) for path in (checkpoint, tmp_path / "toy.onnx")]
    for name, cost in costs[0].items():
        assert torch.allclose(cost, costs[1][name], atol=1e-4), name


def test_evaluation_prints_nats_by_attribute_and_the_price_of_a_moved_beat(checkpoint: Path, folder: Path) -> None:
    result = RUNNER.invoke(app, ["evaluate", str(checkpoint), str(folder), "--every", "2", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["by_clock"]
    assert [one["clock"] for one in found] == ["free", "beat"]
    for one in found:
        assert one["nats_per_note"] == pytest.approx(sum(one["by_attribute"].values()))
        assert one["windows"] <= one["windows_in_all"]
    assert found[1]["moved_by_a_sixteenth"] != found[1]["nats_per_note"]
    assert found[0]["moved_by_a_sixteenth"] is None


def test_the_command_exports_and_one_can_train_on_from_the_file(checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "toy.onnx"
    result = RUNNER.invoke(app, ["export", str(checkpoint), "--out", str(out), "--steps", "60"])
    assert result.exit_code == 0, result.output
    assert "note-transformer" in result.output
    train(folder, tmp_path / "run", "--from", str(out), "--steps", "1", "--learning-rate", "0", "--muon-rate", "0")
    before, after = load_checkpoint(checkpoint)["model"], load_checkpoint(tmp_path / "run" / "last.pt")["model"]
    for name, weight in before.items():
        assert torch.allclose(weight, after[name], atol=1e-5), name


def test_a_model_of_notes_is_not_mistaken_for_one_of_tokens(checkpoint: Path, tmp_path: Path) -> None:
    export_checkpoint(checkpoint, tmp_path / "toy.onnx", Label("toy"), rewind=8, chunk=4)
    with pytest.raises(ModelError, match="notes"):
        load_model(tmp_path / "toy.onnx", device="cpu")


def test_a_reading_costs_the_same_whatever_it_is_batched_with(checkpoint: Path, folder: Path) -> None:
    model = restored_model(load_checkpoint(checkpoint))
    assert isinstance(model, Model)
    readings = still_windows(read_note_pieces(folder / "3.mid", "valid")[0], 25)[:3]
    together = nats(model, Batch.of(readings))
    alone = nats(model, Batch.of(readings[1:2]))
    for name in together:
        assert torch.allclose(together[name][1], alone[name][0], atol=1e-5), name


def test_drums_are_read_in_free_time(tmp_path: Path) -> None:
    write_song(tmp_path / "a.mid", notes=40)
    import mido

    file = mido.MidiFile(tmp_path / "a.mid")
    for track in file.tracks:
        for message in track:
            if not message.is_meta:
                message.channel = 9
    file.save(tmp_path / "drums.mid")
    (piece,) = read_note_pieces(tmp_path / "drums.mid", "train")
    assert isinstance(piece, NotePiece)
    assert (piece.clock, piece.drums) == ("free", True)


def test_aligned_scores_have_their_bars_where_the_music_does(tmp_path: Path) -> None:
    import mido

    path = tmp_path / "upbeat.mid"
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)])
    events = sorted(
        [(onset, "note_on", pitch) for onset, pitch, _, _ in bars_of(480).tolist()]
        + [(onset + length, "note_off", pitch) for onset, pitch, length, _ in bars_of(480).tolist()]
    )
    now = 0
    for ticks, kind, pitch in events:
        track.append(mido.Message(kind, note=pitch, velocity=80, time=ticks - now))
        now = ticks
    file.tracks.append(track)
    file.save(path)
    (aligned,) = score_reader(True, None)(path, "train")
    (filed,) = score_reader(False, None)(path, "train")
    assert aligned.bar_ticks is not None
    assert filed.bar_ticks is not None
    roots = aligned.parts[0][aligned.parts[0][:, 2] == 1920, 0]
    assert set(roots.tolist()) <= set(aligned.bar_ticks.tolist())
    assert not set(filed.bar_ticks.tolist()) & set(filed.parts[0][filed.parts[0][:, 2] == 1920, 0].tolist())


def test_short_bars_are_joined_to_bars_of_four(tmp_path: Path) -> None:
    write_song(tmp_path / "two.mid", signature=(2, 4))
    (piece,) = score_reader(True, None)(tmp_path / "two.mid", "train")
    assert piece.bar_ticks is not None
    assert set(np.diff(piece.bar_ticks).tolist()) == {1920}
