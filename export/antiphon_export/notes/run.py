"""One training run of a model of notes: reads the music, makes or restores the model, trains, keeps the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from antiphon.note_steps.codec import NAME, VERSION
from antiphon_export.midi_folder import Corpus
from antiphon_export.notes.batch import Batch
from antiphon_export.notes.evaluation import nats_of_shelf
from antiphon_export.notes.objective import NoteObjective, NoteRecipe
from antiphon_export.notes.pieces import NoteShelf, read_note_shelves
from antiphon_export.notes.scorer import note_scorer
from antiphon_export.notes.windows import NoteWindows, still_windows
from antiphon_export.training.architectures import NOTE_TRANSFORMER
from antiphon_export.training.computing import best_device
from antiphon_export.training.loop import Reached, Trainer, resume, train
from antiphon_export.training.pieces import folder_of
from antiphon_export.training.run_folder import BEST, RunFolder, load_checkpoint
from antiphon_export.training.start import begin_with
from antiphon_export.training.validation import evaluation_command, every_option
from antiphon_plugins.notes.model import Model

VALID_STEPS: Final = 257
"""Steps of a validation window, the first of which is not foretold."""
_VALID_WINDOWS: Final = 24
"""Of each shelf."""
_FINAL_WINDOWS: Final = 96
"""Of each shelf, at the end of a run, as `antiphon evaluate` takes them."""


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


def train_notes(
    settings: NoteRunSettings,
    folder: RunFolder,
    *,
    report: Callable[[str], None],
    advance: Callable[[int, str], None],
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
    device = best_device()
    about = {
        "architecture": NOTE_TRANSFORMER,
        "settings": model.settings,
        "codec": NAME,
        "codec_version": VERSION,
        "window": model.window,
        "corpora": [_origin(shelf) for shelf in shelves],
    }
    valid, weights = _validation(kept), {_name(shelf): shelf.weight for shelf in kept}
    objective = NoteObjective(model, NoteWindows(shelves), valid, weights, recipe, device, about)
    trainer = Trainer(objective)
    if not resume(trainer, folder, report) and settings.start_from is not None:
        trainer.reached = _begin_with(settings.start_from, objective, report)
    folder.write_settings(
        {
            **about,
            "recipe": asdict(objective.recipe),
            "start_from": settings.start_from,
            "parameters": parameters,
            "beats": settings.beats,
            "validation_windows": {name: sum(len(batch.bags) for batch in found) for name, found in valid.items()},
        },
        device,
    )
    train(trainer, folder, settings.validate_every_seconds, report=report, advance=advance)
    score = note_scorer(folder.path / BEST)
    for shelf in kept:
        found, windows, every = nats_of_shelf(score, shelf, _FINAL_WINDOWS)
        beats = () if settings.beats is None else ("--beats", str(settings.beats))
        arguments = (str(folder_of(shelf.name, settings.corpora)), *beats, *every_option(every))
        again = evaluation_command(folder.path / BEST, *arguments)
        report(f"{found:.4f} nats a note on {windows} windows of {_name(shelf)}: {again}")
    return trainer.reached.best


def _begin_with(path: Path, objective: NoteObjective, report: Callable[[str], None]) -> Reached:
    """Go on from the checkpoint in `path`, another run's, or begin with the weights that are all it holds."""
    content = load_checkpoint(path) if path.suffix == ".pt" else {}
    begin_with(path, objective.model, NOTE_TRANSFORMER)
    report(f"starting from {path}")
    return objective.branch(content) if "optimizers" in content else Reached()


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
