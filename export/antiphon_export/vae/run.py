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
from antiphon_export.training.pieces import Shelf, folder_of, read_score, read_shelves
from antiphon_export.training.run_folder import BEST, SAVE_SECONDS, RunFolder, load_checkpoint
from antiphon_export.training.sitting import Ending, Stopped, told_of_the_first_step
from antiphon_export.training.validation import evaluation_command, every_option, stride
from antiphon_export.vae.beginning import begin_with_components
from antiphon_export.vae.completion import complete
from antiphon_export.vae.halves import halves_of, restored_vae
from antiphon_export.vae.log import Row, add_row
from antiphon_export.vae.reconstruction import hits
from antiphon_export.vae.trainer import Judgement, Progress, Recipe, Trainer
from antiphon_export.vae.windows import FEWEST_NOTES, Source, whole_windows
from antiphon_plugins.vae.model import Model

ARCHITECTURE: Final = "vae"
_FIRST_WINDOWS: Final = 6000
"""From which principal components are found."""
_LAST_WINDOWS: Final = 3000
"""From which directions are found."""
_VALID_WINDOWS: Final = 160
"""Of each corpus, at most."""
_SMALLER: Final = "--latent 128 --near 64 --beat 128 --recurrent 64 --summary 64 --hidden 128 --batch 8"
"""Options with which a step takes a fraction of the time."""


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
    samples = _validation(read_shelves(settings.corpora, "valid", read_score, report=report), steps)
    valid = np.concatenate([rolls for _, rolls, _ in samples])
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
    judgement = _train(trainer, settings, folder, about, seconds, best, report, advance)
    report("finding directions")
    content = load_checkpoint(folder.path / BEST)
    finished = restored_vae(content)
    random = np.random.default_rng(recipe.seed)
    taken = source.draw(random, _LAST_WINDOWS, recipe.transpose, recipe.velocity)
    directions = {name: direction.tolist() for name, direction in complete(finished, valid, taken).items()}
    folder.save_best({**content, "model": finished.state_dict(), "directions": directions})
    rebuild = halves_of(finished).rebuild
    for name, rolls, every in samples:
        (found,) = hits([rolls], rebuild)
        arguments = (str(folder_of(name, settings.corpora)), *every_option(every))
        again = evaluation_command(folder.path / BEST, *arguments)
        report(f"notes that come back: F1 {found.f1:.3f} on {len(rolls)} windows of {name}: {again}")
    return judgement


def _train(
    trainer: Trainer,
    settings: RunSettings,
    folder: RunFolder,
    about: dict[str, Any],
    seconds: float,
    best: float,
    report: Callable[[str], None],
    advance: Callable[[Progress], None],
) -> Judgement:
    recipe = settings.recipe
    about = {**about, "recipe": asdict(recipe)}
    saved, before = -SAVE_SECONDS, time.monotonic()
    begun = trainer.step
    losses: list[float] = []
    judgement: Judgement | None = None
    with Ending(report) as ending:
        try:
            for progress in trainer.run(settings.validate_every_seconds):
                now = time.monotonic()
                if progress.step == begun + 1 and progress.step < recipe.steps:
                    report(told_of_the_first_step(now - before, recipe.steps - progress.step, _SMALLER))
                    if not begun:
                        add_row(folder.path, Row(1, now - before, recipe.batch, progress.loss, None, None, None))
                seconds, before = seconds + now - before, now
                losses.append(progress.loss)
                if progress.judgement is not None:
                    judgement = progress.judgement
                    windows = progress.step * recipe.batch
                    mean = sum(losses) / len(losses)
                    told = (judgement.loss, judgement.divergence, judgement.f1)
                    add_row(folder.path, Row(progress.step, seconds, windows, mean, *told))
                    losses = []
                    if judgement.loss < best:
                        best = judgement.loss
                        folder.save_best({**about, "model": trainer.model.state_dict(), "step": progress.step})
                if ending.asked or now - saved >= SAVE_SECONDS or progress.judgement is not None:
                    folder.save_last({**about, **trainer.state(), "seconds": seconds, "best_loss": best})
                    saved = now
                advance(progress)
                if ending.asked and progress.step < recipe.steps:
                    raise Stopped(folder.kept())
        except KeyboardInterrupt:
            raise Stopped(folder.kept()) from None
    return judgement or trainer.judge()


def _restore(trainer: Trainer, folder: RunFolder, report: Callable[[str], None]) -> tuple[float, float]:
    """The seconds trained before, and the best validation loss so far."""
    last = folder.load_last(ARCHITECTURE, trainer.model.settings)
    if last is None:
        return 0.0, float("inf")
    trainer.restore(last)
    report(f"going on from step {trainer.step} in {folder.path}")
    return last["seconds"], last["best_loss"]


def _validation(shelves: list[Shelf], steps: int) -> list[tuple[str, Roll, int]]:
    """Of each corpus its name, windows [N, steps, 3, 88], evenly spread over its pieces, and each how-many-th it is.

    Raises:
        AntiphonError: a corpus has none.
    """
    samples = []
    for shelf in shelves:
        windows = whole_windows(shelf.pieces, steps)
        if not len(windows):
            raise AntiphonError(
                f"{shelf.name!r} has no {steps} sixteenths to validate on, with {FEWEST_NOTES} notes or more"
            )
        every = stride(len(windows), _VALID_WINDOWS)
        samples.append((shelf.name, windows.rolls(np.arange(0, len(windows), every)), every))
    return samples
