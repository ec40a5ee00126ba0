"""The model of notes as a player, with tiny models that have learnt nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from token_music import played_right

from antiphon.errors import AntiphonError
from antiphon.generator import Casting, Constraints, Request
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.note_steps.generator import NoteGenerator
from antiphon.note_steps.model import Attribute, NoteModel, load_note_model
from antiphon.note_steps.spans import CLOCKS, Clock
from antiphon.notes import Note, Phrase
from antiphon.plugins.host import load_plugins
from antiphon.taste.motif import tune_of
from antiphon.testing import check_generator, sample_phrases, streamed
from antiphon_export.exporting.model_file import Label, export_checkpoint
from antiphon_plugins import lstm, notes, transformer
from antiphon_plugins.notes.model import Model

BAR = 1920
TINY = {"window": 48, "width": 32, "layers": 1, "heads": 2, "feed_forward": 32, "head_width": 16}
PLAYERS = {"notes": (notes.INFO, notes.make), "grid-notes": (notes.GRID_INFO, notes.make_grid)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt nothing, but has opinions."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    tiny = Model(**TINY)
    weights = {name: weight + 0.1 * torch.randn_like(weight) for name, weight in tiny.state_dict().items()}
    weights["words.weight"][0] = weights["given.weight"][0] = 0
    content = {
        "model": weights,
        "architecture": "note-transformer",
        "settings": tiny.settings,
        "codec": "notes",
        "codec_version": 1,
        "window": TINY["window"],
        "corpora": [],
        "step": 0,
    }
    torch.save(content, folder / "checkpoint.pt")
    export_checkpoint(folder / "checkpoint.pt", folder / "tiny.onnx", Label("tiny"), rewind=40, chunk=32)
    return folder / "tiny.onnx"


@pytest.mark.parametrize(("name", "phrase"), [("notes", "held"), ("notes", "extremes"), ("grid-notes", "held")])
def test_it_keeps_every_rule_of_the_contract(name: str, phrase: str, model: Path) -> None:
    info, make = PLAYERS[name]
    phrases = {phrase: sample_phrases()[phrase]}
    report = check_generator(make, info, model=str(model), phrases=phrases, deadline_seconds=15)
    assert report.seeds_differ
    # Extremes have no key and no pulse to stay in, and no figures.
    assert set(report.idle_controls) <= {"repetition", "top_k", *(("stay", "motif") if phrase == "extremes" else ())}


@pytest.mark.parametrize("name", PLAYERS)
def test_it_is_registered_and_says_which_file_it_lacks(name: str, tmp_path: Path) -> None:
    info, make = PLAYERS[name]
    registered = load_plugins().generator(name)
    assert (registered.info, registered.make) == (info, make)
    assert info.models == Path(notes.__file__).parent
    with pytest.raises(AntiphonError, match="gone"):
        make(Casting(0, str(tmp_path / "gone.onnx")))


def test_models_of_tokens_and_of_notes_are_not_taken_for_each_other(model: Path) -> None:
    tokens = Path(lstm.__file__).with_name("grid-lstm.onnx")
    with pytest.raises(AntiphonError, match="choose the generator 'grid-transformer' for it"):
        notes.make(Casting(0, str(tokens)))
    with pytest.raises(AntiphonError, match="choose the generator 'notes' for it"):
        transformer.make(Casting(0, str(model)))


class Overheard(NoteModel):
    """A model, what it was fed and what it has computed."""

    fed: list[int]
    logits: list[bytes]

    def feed(self, bags: NDArray[np.int64], seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        logits = super().feed(bags, seconds)
        self.fed.append(len(bags))
        self.logits.append(logits.tobytes())
        return logits

    def speak(self, attribute: Attribute, given: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = super().speak(attribute, given, ends)
        self.logits.append(logits.tobytes())
        return logits


def overheard(path: Path) -> Overheard:
    model = load_note_model(path)
    model.__class__ = Overheard
    assert isinstance(model, Overheard)
    model.fed, model.logits = [], []
    return model


@pytest.mark.parametrize("clock", ["free", "beat"])
def test_how_music_was_told_changes_no_bit_of_what_the_model_says(clock: Clock, model: Path) -> None:
    heard = sample_phrases()["long"]
    heard = Phrase(0, heard.notes[70].start_ticks, heard.notes[:70])
    said = []
    for told in (0, 1, 3):  # never before, at each event, at each third
        overhears = overheard(model)
        player = NoteGenerator(0, overhears, clock)
        for index, part in enumerate(streamed(heard)):
            if told and index % told == 0:
                player.prime(part)
                player.extend(Request(part.end_ticks, 240))
        player.prime(heard)
        overhears.logits.clear()
        player.extend(Request(heard.end_ticks, BAR))
        said.append(overhears.logits)
    assert said[0] == said[1] == said[2]


def test_a_key_press_costs_a_step_however_much_was_heard(model: Path) -> None:
    overhears = overheard(model)
    player = NoteGenerator(0, overhears, "free")
    heard = sample_phrases()["long"].notes[:400]
    player.prime(Phrase(0, heard[-1].start_ticks + 1, heard[:-1]))
    overhears.fed.clear()
    player.prime(Phrase(0, heard[-1].start_ticks + 1, heard))
    assert sum(overhears.fed) <= 16


def ask(player: NoteGenerator, start: int, bars: int, **told: Any) -> list[Note]:
    """An answer of so many bars, asked for bar by bar."""
    found: list[Note] = []
    for bar in range(bars):
        left = (bars - bar) * BAR
        request = Request(start + bar * BAR, BAR, final=bar == bars - 1, left_ticks=left, **told)
        found += player.extend(request).notes
    return found


@pytest.mark.parametrize("clock", ["free", "beat"])
def test_an_answer_of_known_length_ends_on_a_chord_of_the_tonic_and_is_over_in_time(clock: Clock, model: Path) -> None:
    key = Key(0, minor=False, scale=frozenset({0, 2, 4, 5, 7, 9, 11}))
    pulse = Pulse(480, 0)
    for seed in range(6):
        player = NoteGenerator(seed, load_note_model(model), clock)
        player.prime(sample_phrases()["melody"])
        found = ask(player, 5760, 2, key=key, pulse=pulse, controls={"stay": 1.0})
        end = 5760 + 2 * BAR
        last = [note for note in found if note.start_ticks >= found[-1].start_ticks - 40]
        assert end - 480 - 10 <= last[0].start_ticks <= end - 480 + 40
        assert {note.pitch % 12 for note in last} <= {0, 4, 7}
        assert all((note.end_ticks or 0) <= end - 100 for note in found)


def test_in_free_time_what_is_struck_falls_on_the_pulse_or_belongs_to_a_chord_there(model: Path) -> None:
    pulse = Pulse(511.3, 77.0)
    player = NoteGenerator(3, load_note_model(model), "free")
    player.prime(sample_phrases()["melody"])
    found = ask(player, 5760, 4, pulse=pulse, controls={"stay": 1.0})
    late = [note.start_ticks - pulse.nearest(note.start_ticks - 10) for note in found]
    assert len(found) > 8
    assert all(-10 <= ticks <= 45 for ticks in late)


def test_without_a_pulse_none_is_forced(model: Path) -> None:
    player = NoteGenerator(3, load_note_model(model), "free")
    player.prime(sample_phrases()["melody"])
    found = ask(player, 5760, 4, controls={"stay": 1.0})
    assert len({note.start_ticks % 120 // 10 for note in found}) > 6


def test_to_the_beat_onsets_are_sixteenths_or_triplets_and_as_loud_as_the_call(model: Path) -> None:
    quiet = Phrase.of([Note(480 * i, 60 + i % 7, 400, 30) for i in range(12)])
    loud = Phrase.of([Note(480 * i, 60 + i % 7, 400, 110) for i in range(12)])
    means = []
    for heard in (quiet, loud):
        player = NoteGenerator(0, load_note_model(model), "beat")
        player.prime(heard)
        found = player.extend(Request(5760, 8 * BAR)).notes
        assert {note.start_ticks % 480 for note in found} <= {0, 120, 160, 240, 320, 360}
        means.append(sum(note.velocity for note in found) / len(found))
    assert means[0] < 50 < 90 < means[1]


def test_triplets_are_for_calls_that_have_them(model: Path) -> None:
    straight, shuffled = Pulse(480, 0), Pulse(480, 0, (0.0, 2 / 3), (0.5, 0.5))
    for pulse, strange in ((straight, {160, 320}), (shuffled, {120, 240, 360})):
        player = NoteGenerator(0, load_note_model(model), "beat")
        player.prime(sample_phrases()["melody"])
        found = player.extend(Request(5760, 16 * BAR, {"stay": 1.0}, pulse=pulse)).notes
        share = sum(note.start_ticks % 480 in strange for note in found) / len(found)
        assert share < 0.05


def test_it_plays_on_for_hours_and_keeps_to_its_limits(model: Path) -> None:
    overhears = overheard(model)
    player = NoteGenerator(1, overhears, "free")
    player.prime(sample_phrases()["melody"])
    limits = Constraints(48, 72, frozenset({0, 2, 4, 7, 9}), 3)
    found: list[Note] = []
    longest = 0
    for bar in range(160):
        found += player.extend(Request(5760 + bar * BAR, BAR, constraints=limits)).notes
        longest = max(longest, overhears.position)
    played_right(found, limits)
    assert all(any(note.start_ticks // (20 * BAR) == part for note in found) for part in range(1, 8))
    assert longest < 1200
    player.rewind(5760 + 150 * BAR)
    again = [
        note
        for bar in range(150, 160)
        for note in player.extend(Request(5760 + bar * BAR, BAR, constraints=limits)).notes
    ]
    assert again == [note for note in found if note.start_ticks >= 5760 + 150 * BAR]


def test_where_nothing_may_be_played_it_rests(model: Path) -> None:
    player = NoteGenerator(1, load_note_model(model), "free")
    player.prime(sample_phrases()["melody"])
    nothing = Constraints(61, 61, frozenset({0}))
    assert player.extend(Request(5760, 4 * BAR, constraints=nothing)).notes == ()
    assert player.extend(Request(5760 + 4 * BAR, 4 * BAR)).notes


def test_a_call_that_ended_long_ago_is_answered(model: Path) -> None:
    for clock in CLOCKS:
        player = NoteGenerator(1, load_note_model(model), clock)
        player.prime(Phrase(0, 300_000, (Note(0, 60, 299_000, 80),)))
        assert player.extend(Request(300_000, 4 * BAR)).notes


def test_a_style_is_chosen_by_name_and_heard(model: Path) -> None:
    answers = []
    for style in ("any", "chopin", "chorale"):
        player = notes.make(Casting(0, str(model)))
        player.prime(sample_phrases()["melody"])
        controls = notes.INFO.resolve_controls({"style": style})
        answers.append(player.extend(Request(5760, BAR, controls)))
    assert answers[0] != answers[1] != answers[2]
    with pytest.raises(ValueError, match='style is \'polka\'; allowed: "any" or "pop"'):
        notes.INFO.resolve_controls({"style": "polka"})


def test_beside_the_player_it_goes_on_from_its_own_notes(model: Path) -> None:
    """What it played itself is its own when it is told of it: else it would take it for the player's."""
    melody = [Note(480 * i, 72, 400, 80) for i in range(8)]
    own = [Note(480 * i, 48, 400, 80, own=True) for i in range(8)]
    theirs = [replace(note, own=False) for note in own]
    answers = []
    for heard in ([*melody, *own], [*melody, *theirs]):
        player = NoteGenerator(0, load_note_model(model), "beat")
        player.prime(Phrase.of(heard, 0, 8 * 480))
        answers.append(player.extend(Request(8 * 480, BAR, beside=True)).notes)
    assert answers[0] != answers[1]


def moves_of(found: list[Note]) -> list[int]:
    return [b[1] - a[1] for a, b in pairwise(tune_of(found))]


def test_the_more_the_motif_counts_the_more_of_the_calls_moves_return(model: Path) -> None:
    tune = (60, 62, 64, 60, 62, 64, 65, 62)
    heard = Phrase.of([Note(240 * i, pitch, 220, 80) for i, pitch in enumerate(tune * 2)])
    wanted = set(moves_of(list(heard.notes)))
    shares = []
    for motif in (0.0, 1.0):
        moves: list[int] = []
        for seed in range(4):
            player = NoteGenerator(seed, load_note_model(model), "beat")
            player.prime(heard)
            asked = Request(heard.end_ticks, 32 * BAR, {"motif": motif}, Constraints(58, 67, polyphony=1))
            moves += moves_of(list(player.extend(asked).notes))
        shares.append(sum(move in wanted for move in moves) / len(moves))
    assert shares[1] > shares[0] + 0.08


def test_beside_a_player_who_plays_on_it_is_never_silent_for_long(model: Path) -> None:
    melody = [Note(480 * i, 60 + i % 5, 400, 80) for i in range(64)]
    player = NoteGenerator(2, load_note_model(model), "beat")
    own: list[Note] = []
    for beat in range(2, 64):
        heard = sorted([*melody[:beat], *own], key=lambda note: (note.start_ticks, note.pitch))
        player.prime(Phrase(0, beat * 480, tuple(heard)))
        played = player.extend(Request(beat * 480, 480, {"density": 0.0}, beside=True)).notes
        own += [replace(note, own=True) for note in played]
    onsets = [960, *(note.start_ticks for note in own), 64 * 480]
    assert max(b - a for a, b in pairwise(onsets)) <= 6 * 480
