"""One training run of the VAE from its settings: reads scores, makes or restores the model, keeps the results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch

from antiphon.errors import AntiphonError
from antiphon.models.card import ROLL_CODEC
from antiphon.rolls.model import CODEC_VERSION
from antiphon.rolls.roll import Roll
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.pieces import Shelf, read_score, read_shelves
from antiphon_export.training.run_folder import BEST, SAVE_SECONDS, RunFolder, load_checkpoint
from antiphon_export.vae.beginning import begin_with_components
from antiphon_export.vae.completion import complete
from antiphon_export.vae.halves import restored_vae
from antiphon_export.vae.log import Row, add_row
from antiphon_export.vae.reconstruction import evenly
from antiphon_export.vae.trainer import Judgement, Progress, Recipe, Trainer
from antiphon_export.vae.windows import FEWEST_NOTES, Source, whole_windows
from antiphon_plugins.vae.model import Model

ARCHITECTURE: Final = "vae"
_FIRST_WINDOWS: Final = 6000
"""From which principal components are found."""
_LAST_WINDOWS: Final = 3000
"""From which directions are found."""
_VALID_WINDOWS: Final = 160
"""Of each corpus."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All that decides how a run goes."""

    corpora: tuple[Corpus, ...]
    """Folders to learn from."""
    model: dict[str, int]
    """Arguments of the model."""
    recipe: Recipe
    """How it is trained."""
    validate_every_seconds: float = 120.0
    """Between two validations."""


def train_vae(
    settings: RunSettings,
    folder: RunFolder,
    *,
    report: Callable[[str], None],
    advance: Callable[[Progress], None],
) -> Judgement:
    """Train, or go on with what is in `folder`; returns the last judgement of the validation windows.

    `report` is told in words, `advance` after every step.

    Raises:
        AntiphonError: nothing to learn from, or a checkpoint that does not fit the settings.
    """
    recipe = settings.recipe
    torch.manual_seed(recipe.seed)
    model = Model(**settings.model)
    steps = model.settings["steps"]
    shelves = read_shelves(settings.corpora, "train", read_score, report=report)
    source = Source(shelves, steps)
    valid = _validation(read_shelves(settings.corpora, "valid", read_score, report=report), steps)
    parameters = sum(weight.numel() for weight in model.parameters())
    report(f"{ARCHITECTURE}: {parameters:,} parameters; {len(source):,} windows of {steps} steps")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(model, source, valid, recipe, device)
    about = {
        "architecture": ARCHITECTURE,
        "settings": model.settings,
        "codec": ROLL_CODEC,
        "codec_version": CODEC_VERSION,
        "corpora": [shelf.origin for shelf in shelves],
    }
    seconds, best = _restore(trainer, folder, report)
    if not trainer.step:
        report("finding principal components to begin with")
        random = np.random.default_rng(recipe.seed)
        begin_with_components(model, source.draw(random, _FIRST_WINDOWS, recipe.transpose, recipe.velocity))
    folder.write_settings(
        {
            **about,
            "recipe": asdict(recipe),
            "parameters": parameters,
            "windows": len(source),
            "validation_windows": len(valid),
        },
        device,
    )
    judgement = _train(trainer, settings, folder, about, seconds, best, advance)
    report("finding directions")
    content = load_checkpoint(folder.path / BEST)
    finished = restored_vae(content)
    random = np.random.default_rng(recipe.seed)
    taken = source.draw(random, _LAST_WINDOWS, recipe.transpose, recipe.velocity)
    directions = {name: direction.tolist() for name, direction in complete(finished, valid, taken).items()}
    folder.save_best({**content, "model": finished.state_dict(), "directions": directions})
    return judgement


def _train(
    trainer: Trainer,
    settings: RunSettings,
    folder: RunFolder,
    about: dict[str, Any],
    seconds: float,
    best: float,
    advance: Callable[[Progress], None],
) -> Judgement:
    recipe = settings.recipe
    about = {**about, "recipe": asdict(recipe)}
    saved = before = time.monotonic()
    losses: list[float] = []
    judgement: Judgement | None = None
    for progress in trainer.run(settings.validate_every_seconds):
        now = time.monotonic()
        seconds, before = seconds + now - before, now
        losses.append(progress.loss)
        if progress.judgement is not None:
            judgement = progress.judgement
            windows = progress.step * recipe.batch
            train_loss = sum(losses) / len(losses)
            row = Row(progress.step, seconds, windows, train_loss, judgement.loss, judgement.divergence, judgement.f1)
            add_row(folder.path, row)
            losses = []
            if judgement.loss < best:
                best = judgement.loss
                folder.save_best({**about, "model": trainer.model.state_dict(), "step": progress.step})
        if now - saved >= SAVE_SECONDS or progress.judgement is not None:
            folder.save_last({**about, **trainer.state(), "seconds": seconds, "best_loss": best})
            saved = now
        advance(progress)
    return judgement or trainer.judge()


def _restore(trainer: Trainer, folder: RunFolder, report: Callable[[str], None]) -> tuple[float, float]:
    """The seconds trained before, and the best validation loss so far."""
    last = folder.load_last(ARCHITECTURE, trainer.model.settings)
    if last is None:
        return 0.0, float("inf")
    trainer.restore(last)
    report(f"going on from step {trainer.step} in {folder.path}")
    return last["seconds"], last["best_loss"]


def _validation(shelves: list[Shelf], steps: int) -> Roll:
    """The same number of windows of each corpus, evenly spread over its pieces; [N, steps, 3, 88].

    Raises:
        AntiphonError: a corpus has none.
    """
    rolls = []
    for shelf in shelves:
        windows = whole_windows(shelf.pieces, steps)
        if not len(windows):
            raise AntiphonError(
                f"{shelf.name!r} has no {steps} sixteenths to validate on, with {FEWEST_NOTES} notes or more"
            )
        rolls.append(windows.rolls(evenly(len(windows), _VALID_WINDOWS)))
    return np.concatenate(rolls)
