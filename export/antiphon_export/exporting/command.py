"""`antiphon export`: a checkpoint becomes a model file, compared with PyTorch. What it needs is imported late."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from antiphon.cli.terminal import say
from antiphon.errors import AntiphonError

if TYPE_CHECKING:
    from antiphon.models.card import Card
    from antiphon_export.exporting.graph import Precision
    from antiphon_export.exporting.model_file import Label


def export(
    checkpoint: Path = typer.Argument(help="best.pt or last.pt of a training run's folder."),
    out: Path = typer.Option(..., "--out", "-o", help="Model to write (.onnx)."),
    precision: str = typer.Option("float32", "--precision", help="How weights are stored: float32, float16 or int8."),
    rewind: int = typer.Option(
        192,
        "--rewind",
        min=0,
        help="Tokens that can be taken back at once (Transformers): more cost time at each step.",
    ),
    window: int = typer.Option(
        0,
        "--window",
        min=0,
        help="Tokens that a token sees; 0 as in training, fewer make quicker steps (Transformers).",
    ),
    name: str = typer.Option("", "--name", help="What the model is called; by default, as its file."),
    model_version: str = typer.Option("1", "--model-version", help="The model's own version."),
    licences: str = typer.Option("", "--licences", help="Of the music it learnt from, and of the weights."),
    steps: int = typer.Option(1000, "--steps", min=1, help="Tokens by which file and checkpoint are compared."),
) -> None:
    """Make a model file of a checkpoint: graph, weights and metadata in one. It is then compared with PyTorch."""
    from antiphon_export.exporting.graph import check_precision
    from antiphon_export.exporting.model_file import Label
    from antiphon_export.notes.scorer import speaks_notes
    from antiphon_export.vae.halves import is_vae

    label = Label(name or out.stem, model_version, licences)
    if is_vae(checkpoint):
        _export_vae(checkpoint, out, label, check_precision(precision))
    elif speaks_notes(checkpoint):
        _export_notes(checkpoint, out, label, check_precision(precision), rewind, window or None, steps)
    else:
        _export_tokens(checkpoint, out, label, check_precision(precision), rewind, window or None, steps)


def _export_tokens(
    checkpoint: Path, out: Path, label: Label, precision: Precision, rewind: int, window: int | None, steps: int
) -> None:
    from antiphon.models.loading import load_model
    from antiphon_export.exporting.model_file import export_checkpoint
    from antiphon_export.exporting.parity import check_parity
    from antiphon_export.training.architectures import restored_model
    from antiphon_export.training.run_folder import load_checkpoint

    _tell(out, export_checkpoint(checkpoint, out, label, precision=precision, rewind=rewind, window=window))
    parity = check_parity(restored_model(load_checkpoint(checkpoint)), load_model(out, device="cpu"), steps=steps)
    say(
        f"against PyTorch, over {parity.steps} steps with {parity.rewinds} rewinds: logits differ by at most "
        f"{parity.largest_difference:.1e} (rounding to 32 bits alone: {parity.rounding:.1e}); "
        f"mean divergence {parity.mean_divergence:.1e} nats"
    )
    if precision == "float32" and not parity.is_rounding:
        _refuse(out)


def _export_notes(
    checkpoint: Path, out: Path, label: Label, precision: Precision, rewind: int, window: int | None, steps: int
) -> None:
    from antiphon.note_steps.model import load_note_model
    from antiphon_export.exporting.model_file import export_checkpoint
    from antiphon_export.exporting.note_parity import check_note_parity
    from antiphon_export.training.architectures import restored_model
    from antiphon_export.training.run_folder import load_checkpoint
    from antiphon_plugins.notes.model import Model

    _tell(out, export_checkpoint(checkpoint, out, label, precision=precision, rewind=rewind, window=window))
    reference = restored_model(load_checkpoint(checkpoint))
    assert isinstance(reference, Model)
    parity = check_note_parity(reference, load_note_model(out), steps=steps)
    say(
        f"against PyTorch, over {parity.steps} steps with {parity.rewinds} rewinds: logits differ by at most "
        f"{parity.largest_difference:.1e} (rounding to 32 bits alone: {parity.rounding:.1e}); "
        f"mean divergence {parity.divergence:.1e} nats a step"
    )
    if precision == "float32" and not parity.is_rounding:
        _refuse(out)


def _export_vae(checkpoint: Path, out: Path, label: Label, precision: Precision) -> None:
    from antiphon_export.vae.model_file import export_vae, vae_parity

    _tell(out, export_vae(checkpoint, out, label, precision=precision))
    parity = vae_parity(checkpoint, out)
    say(
        f"against PyTorch: means and rolls differ by at most {parity.computing:.1e} with the weights of the file, "
        f"by {parity.storing:.1e} with those of the checkpoint"
    )
    if precision != "int8" and not parity.is_rounding:  # in 8 bits, products are of integers
        _refuse(out)


def _tell(out: Path, card: Card) -> None:
    say(
        f"{out}: {card.architecture}, {card.parameters:,} parameters in {card.precision}, "
        f"{out.stat().st_size / 1e6:.2f} MB"
    )


def _refuse(out: Path) -> None:
    raise AntiphonError(f"'{out}' does not compute what its checkpoint does: that is more than rounding")
