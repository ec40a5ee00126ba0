"""One training run from its settings: reads the music, makes or restores the model, trains, and keeps the results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import nn

from antiphon.errors import AntiphonError
from antiphon.tokens.codec import Tokens
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon_export.midi_folder import Corpus, holds_chorales
from antiphon_export.notes.pieces import score_reader
from antiphon_export.study_data import study_tokens
from antiphon_export.training.architectures import build_model
from antiphon_export.training.chorales import CHORALES, VOCABULARY, ChoraleWindows, chorale_streams
from antiphon_export.training.pieces import (
    Shelf,
    files_of,
    read_performance,
    read_shelves,
)
from antiphon_export.training.run_folder import SAVE_SECONDS, Row, RunFolder
from antiphon_export.training.start import begin_with
from antiphon_export.training.trainer import Recipe, Trainer, validation_windows
from antiphon_export.training.windows import GridWindows, PerformanceWindows, Windows, grid_streams

_VALID_WINDOWS: Final = 192


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All that decides how a run goes."""

    architecture: str
    """`transformer`, `study-transformer` or `lstm`."""
    codec: str
    """`performance` or `grid`."""
    corpora: tuple[Corpus, ...]
    """Folders to learn from."""
    model: dict[str, Any]
    """Arguments of the model beyond its vocabulary."""
    recipe: Recipe
    """How it is trained."""
    start_from: Path | None = None
    """Checkpoint or model file whose weights to begin with."""
    align: bool = False
    """Whether scores are read with beats and bars where the music has them, not where the file says."""
    beats: Path | None = None
    """Folder of annotated beats for that, if there is one."""
    study: bool = False
    """Whether to read files exactly as the published study did."""
    validate_every_seconds: float = 180.0
    """Between two validations."""


def train_model(
    settings: RunSettings,
    folder: RunFolder,
    *,
    report: Callable[[str], None],
    advance: Callable[[int, float, float | None], None],
) -> float:
    """Train, or go on with what is in `folder`; returns the best validation NLL in nats per token.

    `report` is told in words, `advance` after every step: the step, its NLL, and the last validation NLL.

    Raises:
        AntiphonError: nothing to learn from, or a checkpoint that does not fit the settings.
    """
    vocabulary, codec_version = _codec(settings.codec)
    windows, valid_windows, corpora = _read(settings, report)
    recipe = settings.recipe
    torch.manual_seed(recipe.seed)
    model = build_model(settings.architecture, vocabulary=vocabulary, **settings.model)
    parameters = sum(weight.numel() for weight in model.parameters())
    report(f"{settings.architecture}: {parameters:,} parameters; {windows.tokens:,} tokens without augmentation")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    valid = validation_windows(valid_windows, _VALID_WINDOWS, recipe.length)
    trainer = Trainer(model, windows, valid, recipe, device)
    about = {
        "architecture": settings.architecture,
        "settings": model.settings,
        "codec": settings.codec,
        "codec_version": codec_version,
        "window": getattr(model, "window", recipe.length),
        "corpora": corpora,
    }
    best, seconds = _restore(trainer, model, settings, folder, report)
    folder.write_settings(
        {
            **about,
            "recipe": asdict(recipe),
            "study": settings.study,
            "align": settings.align,
            "beats": settings.beats,
            "start_from": settings.start_from,
            "parameters": parameters,
            "tokens": windows.tokens,
            "validation_windows": _VALID_WINDOWS,
        },
        device,
    )
    return _train(trainer, settings, folder, about, best, seconds, advance)


def _train(
    trainer: Trainer,
    settings: RunSettings,
    folder: RunFolder,
    about: dict[str, Any],
    best: float,
    seconds: float,
    advance: Callable[[int, float, float | None], None],
) -> float:
    recipe = settings.recipe
    saved = before = time.monotonic()
    losses: list[float] = []
    valid: float | None = None

    def checkpoint() -> dict[str, Any]:
        return {**about, **trainer.state(), "best_nll": best, "seconds": seconds, "recipe": asdict(recipe)}

    for progress in trainer.run(settings.validate_every_seconds):
        now = time.monotonic()
        seconds, before = seconds + now - before, now
        losses.append(progress.train_nll)
        if progress.valid_nll is not None:
            valid = progress.valid_nll
            tokens = progress.step * recipe.batch * recipe.length
            folder.log(Row(progress.step, seconds, tokens, sum(losses) / len(losses), valid))
            losses = []
            if valid < best:
                best = valid
                folder.save_best(
                    {
                        **about,
                        "model": trainer.model.state_dict(),
                        "step": progress.step,
                        "validation_nll": valid,
                        "recipe": asdict(recipe),
                    }
                )
        if now - saved >= SAVE_SECONDS or progress.valid_nll is not None:
            folder.save_last(checkpoint())
            saved = now
        advance(progress.step, progress.train_nll, valid)
    return best


def _restore(
    trainer: Trainer, model: nn.Module, settings: RunSettings, folder: RunFolder, report: Callable[[str], None]
) -> tuple[float, float]:
    """Best validation NLL so far, and the seconds trained."""
    last = folder.load_last(settings.architecture, cast(dict[str, Any], model.settings))
    if last is not None:
        trainer.restore(last)
        report(f"going on from step {trainer.step} in {folder.path}")
        return last["best_nll"], last["seconds"]
    if settings.start_from is not None:
        begin_with(settings.start_from, model, settings.architecture)
        report(f"starting from the weights in {settings.start_from}")
    return float("inf"), 0.0


def _read(settings: RunSettings, report: Callable[[str], None]) -> tuple[Windows, Windows, list[dict[str, Any]]]:
    """What to train on, what to validate on, and where it is from."""
    if settings.study:
        return _read_study(settings)
    if settings.codec == CHORALES:
        return _read_chorales(settings, report)
    read = score_reader(settings.align, settings.beats)
    if settings.codec == PerformanceCodec.name:
        read = read_performance
    both: list[list[Shelf]] = []
    for split in ("train", "valid"):
        both.append(read_shelves(settings.corpora, split, read, report=report))
    about = [shelf.origin for shelf in both[0]]
    if settings.codec == PerformanceCodec.name:
        train, valid = (PerformanceWindows(shelves, PerformanceCodec()) for shelves in both)
        return train, valid, about
    train_grid, valid_grid = (
        GridWindows(
            [(shelf.weight, [stream for piece in shelf.pieces for stream in grid_streams(piece)]) for shelf in shelves]
        )
        for shelves in both
    )
    return train_grid, valid_grid, about


def _codec(name: str) -> tuple[int, int]:
    """Vocabulary and version of what a model learns to say."""
    if name == CHORALES:
        return VOCABULARY, 1
    codec = codec_named(name)
    return codec.vocabulary, codec.version


def _read_chorales(
    settings: RunSettings, report: Callable[[str], None]
) -> tuple[Windows, Windows, list[dict[str, Any]]]:
    train, valid = (
        [stream for corpus in settings.corpora for stream in chorale_streams(corpus, split, report)]
        for split in ("train", "valid")
    )
    names = ", ".join(corpus.name for corpus in settings.corpora)
    return ChoraleWindows(train), ChoraleWindows(valid), [{"name": names, "weight": 1.0, "pieces": len(train)}]


def _read_study(settings: RunSettings) -> tuple[Windows, Windows, list[dict[str, Any]]]:
    streams: dict[bool, list[tuple[float, list[Tokens]]]] = {False: [], True: []}
    about = []
    for corpus in settings.corpora:
        for valid in (False, True):
            split = "valid" if valid else "train"
            paths = [path for path in files_of(corpus, split) if not holds_chorales(path)]
            long = [tokens for tokens in map(study_tokens, paths) if len(tokens) > settings.recipe.length]
            if not long:
                raise AntiphonError(
                    f"{str(corpus.folder)!r} has {len(paths)} MIDI files under {split!r}, none of which has more than "
                    f"{settings.recipe.length} tokens; give longer pieces, or a shorter --length"
                )
            streams[valid].append((corpus.weight, long))
            if not valid:
                about.append({"name": corpus.name, "weight": corpus.weight, "pieces": len(paths)})
    return GridWindows(streams[False]), GridWindows(streams[True]), about
