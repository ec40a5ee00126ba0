"""Models of notes as scorers, from a checkpoint or a model file. They draw none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from antiphon.errors import AntiphonError
from antiphon.note_steps.codec import NAME
from antiphon.note_steps.model import ATTRIBUTES, NoteModel, load_note_model
from antiphon.note_steps.words import given_words
from antiphon_export.notes.batch import Batch, nats, nats_of
from antiphon_export.training.architectures import restored_model
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_plugins.notes.model import HEADS, Logits, Model

Score = Callable[[Batch], dict[str, Tensor]]
"""What each head's word costs in every step of a batch, [B, T], in nats."""


def speaks_notes(path: Path) -> bool:
    """Whether the checkpoint or model file in `path` takes notes; False for what cannot be read."""
    from antiphon.models.card import RollCard, read_any_card

    try:
        if path.suffix != ".onnx":
            return bool(load_checkpoint(path)["codec"] == NAME)
        card = read_any_card(path)
    except AntiphonError:
        return False
    return not isinstance(card, RollCard) and card.codec == NAME


def note_scorer(path: Path) -> Score:
    """The scorer of a checkpoint, or of an `.onnx`. Raises AntiphonError if the file is neither."""
    if path.suffix == ".onnx":
        played = load_note_model(path)
        return lambda batch: nats_of(logits_of(played, batch), batch)
    model = restored_model(load_checkpoint(path))
    assert isinstance(model, Model)

    def score(batch: Batch) -> dict[str, Tensor]:
        with torch.inference_mode():
            return nats(model, batch)

    return score


def logits_of(model: NoteModel, batch: Batch) -> Logits:
    """What a model file says after every step of `batch`, each reading from a cold start."""
    spoken: dict[str, list[np.ndarray]] = {name: [] for name in HEADS}
    drawn = {
        name: getattr(batch.drawn, name).numpy() for name in ("time", "part", "pitch", "velocity", "given", "ends")
    }
    for row, (bags, seconds) in enumerate(zip(batch.bags.numpy(), batch.seconds.double().numpy(), strict=True)):
        model.rewind(0)
        states, time = model.feed_all(bags, seconds)
        spoken["time"].append(time)
        of_row = {name: array[row] for name, array in drawn.items()}
        for known, attribute in enumerate(ATTRIBUTES):
            given = given_words(
                known, of_row["time"], of_row["given"], of_row["part"], of_row["pitch"], of_row["velocity"]
            )
            spoken[attribute].append(model.speak_all(attribute, states, given, of_row["ends"]))
    return Logits(**{name: torch.from_numpy(np.stack(arrays)) for name, arrays in spoken.items()})
