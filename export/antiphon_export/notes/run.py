"""One training run of a model of notes: reads the music, makes or restores the model, trains, keeps the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from antiphon.note_steps.codec import NAME, VERSION
from antiphon_export.midi_folder import Corpus
from antiphon_export.notes.batch import Batch
from antiphon_export.notes.evaluation import nats_of_shelf
from antiphon_export.notes.log import add_judgement
from antiphon_export.notes.pieces import NoteShelf, read_note_shelves
from antiphon_export.notes.scorer import note_scorer
from antiphon_export.notes.trainer import Costs, NoteRecipe, NoteTrainer, judge
from antiphon_export.notes.windows import NoteWindows, still_windows
from antiphon_export.training.architectures import NOTE_TRANSFORMER
from antiphon_export.training.pieces import folder_of
from antiphon_export.training.run_folder import BEST, SAVE_SECONDS, RunFolder, load_checkpoint
from antiphon_export.training.sitting import Ending, Stopped, first_look, told_of_the_first_step
from antiphon_export.training.start import begin_with
from antiphon_export.training.validation import evaluation_command, every_option
from antiphon_plugins.notes.model import Model

VALID_STEPS: Final = 257
"""Steps of a validation window, the first of which is not foretold."""
_VALID_WINDOWS: Final = 24
"""Of each shelf."""
_FINAL_WINDOWS: Final = 96
"""Of each shelf, at the end of a run, as `antiphon evaluate` takes them."""
_SMALLER: Final = "--width 128 --layers 3 --heads 4 --feed-forward 256 --head-width 128 --batch 4"
"""Options with which a step takes an eighth of the time, or less."""


@dataclass(frozen=True, slots=True)
class NoteRunSettings:
    """All that decides how a run goes."""

    corpora: tuple[Corpus, ...]
    """Folders to learn from."""
    beats: Path | None
    """Folder of annotated beats, if there is one."""
    model: dict[str, Any]
    """Arguments of the model."""
    recipe: NoteRecipe
    """How it is trained. With a cool-down, `steps` count from where it begins."""
    start_from: Path | None = None
    """What to begin with: a `last.pt` to go on from, or weights alone."""
    validate_every_seconds: float = 300.0
    """Between two validations."""


@dataclass(frozen=True, slots=True)
class NoteProgress:
    """Where a run stands after a step."""

    step: int
    notes: int
    """Learnt from so far."""
    nats: float
    """A step, of the last batch."""
    valid: float | None
    """Nats a note on validation pieces, all shelves by their weights, as far as it was measured."""


def train_notes(
    settings: NoteRunSettings,
    folder: RunFolder,
    *,
    report: Callable[[str], None],
    advance: Callable[[NoteProgress], None],
) -> float:
    """Train, or go on with what is in `folder`; returns the best validation nats a note.

    Raises:
        AntiphonError: nothing to learn from, or a checkpoint that does not fit the settings.
    """
    recipe = settings.recipe
    shelves, kept = (
        read_note_shelves(settings.corpora, split, beats=settings.beats, report=report) for split in ("train", "valid")
    )
    torch.manual_seed(recipe.seed)
    model = Model(**settings.model)
    parameters = sum(weight.numel() for weight in model.parameters())
    report(f"{NOTE_TRANSFORMER}: {parameters:,} parameters; {sum(shelf.notes for shelf in shelves):,} notes")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = NoteTrainer(model, NoteWindows(shelves), recipe, device)
    about = {
        "architecture": NOTE_TRANSFORMER,
        "settings": model.settings,
        "codec": NAME,
        "codec_version": VERSION,
        "window": model.window,
        "corpora": [_origin(shelf) for shelf in shelves],
    }
    run = _Run(trainer, folder, about, _validation(kept), {_name(shelf): shelf.weight for shelf in kept}, device)
    run.restore(settings.start_from, report)
    folder.write_settings(
        {
            **about,
            "recipe": asdict(trainer.recipe),
            "start_from": settings.start_from,
            "parameters": parameters,
            "beats": settings.beats,
            "validation_windows": {name: sum(len(batch.bags) for batch in found) for name, found in run.valid.items()},
        },
        device,
    )
    best = run.train(settings.validate_every_seconds, report, advance)
    score = note_scorer(folder.path / BEST)
    for shelf in kept:
        found, windows, every = nats_of_shelf(score, shelf, _FINAL_WINDOWS)
        beats = () if settings.beats is None else ("--beats", str(settings.beats))
        arguments = (str(folder_of(shelf.name, settings.corpora)), *beats, *every_option(every))
        again = evaluation_command(folder.path / BEST, *arguments)
        report(f"{found:.4f} nats a note on {windows} windows of {_name(shelf)}: {again}")
    return best


class _Run:
    """A trainer, where its results go, and how far it has come."""

    def __init__(
        self,
        trainer: NoteTrainer,
        folder: RunFolder,
        about: dict[str, Any],
        valid: dict[str, list[Batch]],
        weights: dict[str, float],
        device: torch.device,
    ) -> None:
        self.valid = valid
        self._trainer, self._folder, self._about = trainer, folder, about
        self._weights, self._device = weights, device
        self._seconds, self._notes, self._best = 0.0, 0, float("inf")

    def restore(self, start_from: Path | None, report: Callable[[str], None]) -> None:
        """Go on with what is in the folder, or else begin with what is in `start_from`."""
        trainer = self._trainer
        last = self._folder.load_last(NOTE_TRANSFORMER, trainer.model.settings)
        if last is None and start_from is not None:
            content = load_checkpoint(start_from) if start_from.suffix == ".pt" else {}
            begin_with(start_from, trainer.model, NOTE_TRANSFORMER)
            report(f"starting from {start_from}")
            if "optimizers" not in content:
                return
            last = {**content, "best_nll": float("inf")}
            if trainer.recipe.cool_down_steps:
                ending = last["step"] + trainer.recipe.cool_down_steps
                trainer.recipe = replace(trainer.recipe, steps=ending)
        elif last is not None:
            if trainer.recipe.cool_down_steps:
                trainer.recipe = replace(trainer.recipe, steps=last["recipe"]["steps"])
            report(f"going on from step {last['step']} in {self._folder.path}")
        if last is not None:
            trainer.restore(last)
            self._seconds, self._notes, self._best = last["seconds"], last["notes"], last["best_nll"]

    def train(
        self,
        validate_every_seconds: float,
        report: Callable[[str], None],
        advance: Callable[[NoteProgress], None],
    ) -> float:
        """Train to the recipe's end; returns the best validation nats a note.

        Raises:
            Stopped: a person has ended it.
        """
        with Ending(report) as ending:
            try:
                self._train(validate_every_seconds, ending, report, advance)
            except KeyboardInterrupt:
                raise Stopped(self._folder.kept()) from None
        return self._best

    def _train(
        self,
        validate_every_seconds: float,
        ending: Ending,
        report: Callable[[str], None],
        advance: Callable[[NoteProgress], None],
    ) -> None:
        trainer = self._trainer
        before = time.monotonic()
        saved, look = -SAVE_SECONDS, first_look(before, validate_every_seconds)
        begun = trainer.step
        losses: list[float] = []
        valid: float | None = None
        while trainer.step < trainer.recipe.steps:
            loss, notes = trainer.train_step()
            now = time.monotonic()
            left = trainer.recipe.steps - trainer.step
            if trainer.step == begun + 1 and left:
                report(told_of_the_first_step(now - before, left, _SMALLER))
                if not begun:
                    nothing = dict.fromkeys(self.valid)
                    add_judgement(self._folder.path, trainer.step, now - before, notes, loss, None, nothing)
            self._seconds, before = self._seconds + now - before, now
            self._notes += notes
            losses.append(loss)
            due = (trainer.step > begun + 1 and now >= look) or not left
            if due:
                valid = self._judge(float(np.mean(losses)))
                losses = []
                before = time.monotonic()
                look = before + validate_every_seconds
            if due or ending.asked or now - saved >= SAVE_SECONDS:
                self._folder.save_last(self._checkpoint())
                saved = time.monotonic()
            advance(NoteProgress(trainer.step, self._notes, loss, valid))
            if ending.asked and left:
                raise Stopped(self._folder.kept())

    def _judge(self, train_nats: float) -> float:
        model, precision = self._trainer.model, self._trainer.recipe.precision
        costs: dict[str, Costs] = {
            name: judge(model, batches, self._device, precision) for name, batches in self.valid.items()
        }
        whole = sum(self._weights[name] * cost.total for name, cost in costs.items()) / sum(self._weights.values())
        add_judgement(self._folder.path, self._trainer.step, self._seconds, self._notes, train_nats, whole, costs)
        if whole < self._best:
            self._best = whole
            self._folder.save_best(self._weights_alone())
        return whole

    def _weights_alone(self) -> dict[str, Any]:
        return {
            **self._about,
            "model": self._trainer.model.state_dict(),
            "step": self._trainer.step,
            "notes": self._notes,
            "validation_nll": self._best,
            "recipe": asdict(self._trainer.recipe),
        }

    def _checkpoint(self) -> dict[str, Any]:
        return {
            **self._weights_alone(),
            **self._trainer.state(),
            "best_nll": self._best,
            "seconds": self._seconds,
        }


def _validation(shelves: Sequence[NoteShelf]) -> dict[str, list[Batch]]:
    """Some windows of each shelf, evenly spread over its pieces."""
    found = {}
    for shelf in shelves:
        windows = [
            reading
            for piece in shelf.pieces
            for reading in still_windows(piece, VALID_STEPS)
            if len(reading.bags) == VALID_STEPS
        ]
        chosen = [windows[place] for place in np.linspace(0, len(windows) - 1, _VALID_WINDOWS).astype(int)]
        found[_name(shelf)] = [Batch.of(chosen, VALID_STEPS - 1)] if windows else []
    return {name: batches for name, batches in found.items() if batches}


def _name(shelf: NoteShelf) -> str:
    return f"{shelf.name} {shelf.clock}"


def _origin(shelf: NoteShelf) -> dict[str, Any]:
    return {"name": _name(shelf), "weight": shelf.weight, "pieces": len(shelf.pieces), "notes": shelf.notes}
