"""One training run of a model of tokens: reads the music, makes or restores the model, trains, keeps the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from antiphon_export.tokens.chorales import CHORALES, VOCABULARY, ChoraleWindows, chorale_streams
from antiphon_export.tokens.objective import Recipe, TokenObjective
from antiphon_export.training.architectures import build_model, restored_model
from antiphon_export.training.computing import best_device
from antiphon_export.training.loop import Trainer, resume, train
from antiphon_export.training.pieces import (
    files_of,
    folder_of,
    read_performance,
    read_shelves,
)
from antiphon_export.training.run_folder import BEST, RunFolder, load_checkpoint
from antiphon_export.training.start import begin_with
from antiphon_export.training.validation import Sample, evaluation_command, judged, sample, weighted
from antiphon_export.training.windows import GridWindows, PerformanceWindows, Windows, grid_streams


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
    advance: Callable[[int, str], None],
) -> float:
    """Train, or go on with what is in `folder`; returns the best validation NLL in nats per token.

    `report` is told in words, `advance` after every step: its number, and what to show beside the bar.

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
    device = best_device()
    mixed = recipe.precision == "bfloat16"

    def judge(model: nn.Module) -> float:
        return weighted(judged(model, samples, settings.codec, device, mixed=mixed), samples)

    about = {
        "architecture": settings.architecture,
        "settings": model.settings,
        "codec": settings.codec,
        "codec_version": codec_version,
        "window": getattr(model, "window", recipe.length),
        "corpora": corpora,
        "validation": [part.about for part in samples],
    }
    trainer = Trainer(TokenObjective(model, windows, judge, recipe, device, about))
    if not resume(trainer, folder, report) and settings.start_from is not None:
        begin_with(settings.start_from, model, settings.architecture)
        report(f"starting from the weights in {settings.start_from}")
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
    train(trainer, folder, settings.validate_every_seconds, report=report, advance=advance)
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
