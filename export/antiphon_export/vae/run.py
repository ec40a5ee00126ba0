"""One training run of the VAE from its settings: reads scores, makes or restores the model, keeps the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import torch

from antiphon.errors import AntiphonError
from antiphon.models.card import ROLL_CODEC
from antiphon.rolls.model import CODEC_VERSION
from antiphon.rolls.roll import Roll
from antiphon_export.midi_folder import Corpus
from antiphon_export.training.computing import best_device
from antiphon_export.training.loop import Trainer, resume, train
from antiphon_export.training.pieces import Shelf, folder_of, read_score, read_shelves
from antiphon_export.training.run_folder import BEST, RunFolder, load_checkpoint
from antiphon_export.training.validation import evaluation_command, every_option, stride
from antiphon_export.vae.beginning import begin_with_components
from antiphon_export.vae.completion import complete
from antiphon_export.vae.halves import halves_of, restored_vae
from antiphon_export.vae.objective import Judgement, Recipe, VaeObjective
from antiphon_export.vae.reconstruction import hits
from antiphon_export.vae.windows import FEWEST_NOTES, Source, whole_windows
from antiphon_plugins.vae.model import Model

ARCHITECTURE: Final = "vae"
_FIRST_WINDOWS: Final = 6000
"""From which principal components are found."""
_LAST_WINDOWS: Final = 3000
"""From which directions are found."""
_VALID_WINDOWS: Final = 160
"""Of each corpus, at most."""


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
    advance: Callable[[int, str], None],
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
    device = best_device()
    about = {
        "architecture": ARCHITECTURE,
        "settings": model.settings,
        "codec": ROLL_CODEC,
        "codec_version": CODEC_VERSION,
        "corpora": [shelf.origin for shelf in shelves],
    }
    trainer = Trainer(VaeObjective(model, source, valid, recipe, device, about))
    if not resume(trainer, folder, report):
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
    judgement = train(trainer, folder, settings.validate_every_seconds, report=report, advance=advance)
    judgement = judgement or trainer.validate()
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
