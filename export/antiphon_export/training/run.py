"""One training run from its settings: reads the music, makes or restores the model, trains, and keeps the results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from antiphon.errors import AntiphonError
from antiphon.tokens.codec import Tokens
from antiphon.tokens.codecs import codec_named
from antiphon.tokens.performance_codec import PerformanceCodec
from antiphon_export.evaluate import windows_of_pieces, windows_of_streams
from antiphon_export.midi_folder import Corpus, holds_chorales
from antiphon_export.notes.pieces import score_reader
from antiphon_export.study_data import study_tokens
from antiphon_export.training.architectures import build_model, restored_model
from antiphon_export.training.chorales import CHORALES, VOCABULARY, ChoraleWindows, chorale_streams
from antiphon_export.training.pieces import (
    files_of,
    folder_of,
    read_performance,
    read_shelves,
)
from antiphon_export.training.run_folder import BEST, SAVE_SECONDS, Row, RunFolder, load_checkpoint
from antiphon_export.training.sitting import Ending, Stopped, told_of_the_first_step
from antiphon_export.training.start import begin_with
from antiphon_export.training.trainer import Recipe, Trainer
from antiphon_export.training.validation import Sample, evaluation_command, judged, sample, weighted
from antiphon_export.training.windows import GridWindows, PerformanceWindows, Windows, grid_streams

_SMALLER: Final = {
    "transformer": "--width 128 --layers 3 --feed-forward 256 --batch 4 --length 512",
    "study-transformer": "--width 128 --layers 3 --heads 4 --feed-forward 256 --batch 8",
    "lstm": "--hidden 192 --wide 256 --narrow 192 --batch 8 --length 256",
}
"""Options with which a step takes an eighth of the time, or less."""


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
    windows, samples, corpora = _read(settings, report)
    recipe = settings.recipe
    torch.manual_seed(recipe.seed)
    model = build_model(settings.architecture, vocabulary=vocabulary, **settings.model)
    parameters = sum(weight.numel() for weight in model.parameters())
    report(f"{settings.architecture}: {parameters:,} parameters; {windows.tokens:,} tokens without augmentation")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    mixed = recipe.precision == "bfloat16"

    def judge(model: nn.Module) -> float:
        return weighted(judged(model, samples, settings.codec, device, mixed=mixed), samples)

    trainer = Trainer(model, windows, judge, recipe, device)
    about = {
        "architecture": settings.architecture,
        "settings": model.settings,
        "codec": settings.codec,
        "codec_version": codec_version,
        "window": getattr(model, "window", recipe.length),
        "corpora": corpora,
        "validation": [part.about for part in samples],
    }
    best, seconds = _restore(trainer, about, settings, folder, report)
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
        },
        device,
    )
    _train(trainer, settings, folder, about, best, seconds, report, advance)
    return _final(folder, samples, settings.codec, device, report)


def _final(
    folder: RunFolder, samples: list[Sample], codec: str, device: torch.device, report: Callable[[str], None]
) -> float:
    """Judge the best weights once more, in 32 bits, as `antiphon evaluate` does, and keep what comes out with them."""
    content = load_checkpoint(folder.path / BEST)
    costs = judged(restored_model(content).to(device), samples, codec, device, mixed=False)
    whole = weighted(costs, samples)
    folder.save_best({**content, "validation_nll": whole})
    for part, cost in zip(samples, costs, strict=True):
        again = "" if part.again is None else f": {evaluation_command(folder.path / BEST, *part.again)}"
        report(f"{cost:.4f} nats per token on {len(part.windows)} windows of {part.name}{again}")
    return whole


def _train(
    trainer: Trainer,
    settings: RunSettings,
    folder: RunFolder,
    about: dict[str, Any],
    best: float,
    seconds: float,
    report: Callable[[str], None],
    advance: Callable[[int, float, float | None], None],
) -> None:
    recipe = settings.recipe
    saved, before = -SAVE_SECONDS, time.monotonic()
    begun = trainer.step
    losses: list[float] = []
    valid: float | None = None

    def checkpoint() -> dict[str, Any]:
        return {**about, **trainer.state(), "best_nll": best, "seconds": seconds, "recipe": asdict(recipe)}

    def keep(train_nll: float) -> None:
        nonlocal best, losses
        assert valid is not None
        tokens = trainer.step * recipe.batch * recipe.length
        folder.log(Row(trainer.step, seconds, tokens, train_nll, valid))
        losses = []
        if valid < best:
            best = valid
            weights = {"model": trainer.model.state_dict(), "step": trainer.step, "validation_nll": valid}
            folder.save_best({**about, **weights, "recipe": asdict(recipe)})

    with Ending(report) as ending:
        try:
            for progress in trainer.run(settings.validate_every_seconds):
                now = time.monotonic()
                if progress.step == begun + 1 and progress.step < recipe.steps:
                    left = recipe.steps - progress.step
                    report(told_of_the_first_step(now - before, left, _SMALLER[settings.architecture]))
                    if not begun:
                        folder.log(Row(1, now - before, recipe.batch * recipe.length, progress.train_nll, None))
                seconds, before = seconds + now - before, now
                losses.append(progress.train_nll)
                if progress.valid_nll is not None:
                    valid = progress.valid_nll
                    keep(sum(losses) / len(losses))
                if ending.asked or now - saved >= SAVE_SECONDS or progress.valid_nll is not None:
                    folder.save_last(checkpoint())
                    saved = now
                advance(progress.step, progress.train_nll, valid)
                if ending.asked and progress.step < recipe.steps:
                    raise Stopped(folder.kept())
        except KeyboardInterrupt:
            raise Stopped(folder.kept()) from None


def _restore(
    trainer: Trainer, about: dict[str, Any], settings: RunSettings, folder: RunFolder, report: Callable[[str], None]
) -> tuple[float, float]:
    """Best validation NLL so far, by the same windows, and the seconds trained."""
    last = folder.load_last(settings.architecture, about["settings"])
    if last is not None:
        trainer.restore(last)
        report(f"going on from step {trainer.step} in {folder.path}")
        alike = last.get("validation") == about["validation"]
        return last["best_nll"] if alike else float("inf"), last["seconds"]
    if settings.start_from is not None:
        begin_with(settings.start_from, trainer.model, settings.architecture)
        report(f"starting from the weights in {settings.start_from}")
    return float("inf"), 0.0


def _read(settings: RunSettings, report: Callable[[str], None]) -> tuple[Windows, list[Sample], list[dict[str, Any]]]:
    """What to train on, what to judge by, and where it is from."""
    if settings.study:
        return _read_study(settings)
    if settings.codec == CHORALES:
        return _read_chorales(settings, report)
    read = score_reader(settings.align, settings.beats)
    if settings.codec == PerformanceCodec.name:
        read = read_performance
    train, valid = (read_shelves(settings.corpora, split, read, report=report) for split in ("train", "valid"))
    aligned = ("--align",) if settings.align else ()
    options = (*aligned, "--beats", str(settings.beats)) if settings.beats else aligned
    samples = [
        sample(
            shelf.name,
            shelf.weight,
            windows_of_pieces(shelf.pieces, settings.codec),
            (str(folder_of(shelf.name, settings.corpora)), *options),
        )
        for shelf in valid
    ]
    about = [shelf.origin for shelf in train]
    if settings.codec == PerformanceCodec.name:
        return PerformanceWindows(train, PerformanceCodec()), samples, about
    streams = [(shelf.weight, [stream for piece in shelf.pieces for stream in grid_streams(piece)]) for shelf in train]
    return GridWindows(streams), samples, about


def _codec(name: str) -> tuple[int, int]:
    """Vocabulary and version of what a model learns to say."""
    if name == CHORALES:
        return VOCABULARY, 1
    codec = codec_named(name)
    return codec.vocabulary, codec.version


def _read_chorales(
    settings: RunSettings, report: Callable[[str], None]
) -> tuple[Windows, list[Sample], list[dict[str, Any]]]:
    train, valid = (
        [stream for corpus in settings.corpora for stream in chorale_streams(corpus, split, report)]
        for split in ("train", "valid")
    )
    names = ", ".join(corpus.name for corpus in settings.corpora)
    again = None
    if len(settings.corpora) == 1:
        again = (str(settings.corpora[0].folder), "--protocol", "chorales")
    return ChoraleWindows(train), [sample(names, 1.0, valid, again)], [_origin(names, 1.0, len(train))]


def _read_study(settings: RunSettings) -> tuple[Windows, list[Sample], list[dict[str, Any]]]:
    streams: list[tuple[float, list[Tokens]]] = []
    samples: list[Sample] = []
    about = []
    for corpus in settings.corpora:
        for split in ("train", "valid"):
            paths = [path for path in files_of(corpus, split) if not holds_chorales(path)]
            long = [tokens for tokens in map(study_tokens, paths) if len(tokens) > settings.recipe.length]
            if not long:
                raise AntiphonError(
                    f"{str(corpus.folder)!r} has {len(paths)} MIDI files under {split!r}, none of which has more than "
                    f"{settings.recipe.length} tokens; give longer pieces, or a shorter --length"
                )
            if split == "train":
                streams.append((corpus.weight, long))
                about.append(_origin(corpus.name, corpus.weight, len(paths)))
            else:
                samples.append(sample(corpus.name, corpus.weight, windows_of_streams(long), None))
    return GridWindows(streams), samples, about


def _origin(name: str, weight: float, pieces: int) -> dict[str, Any]:
    return {"name": name, "weight": weight, "pieces": pieces}
