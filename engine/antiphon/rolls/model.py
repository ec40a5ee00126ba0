"""A model that makes codes of piano rolls, and piano rolls of codes, from its file. It knows no way between codes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.generator import Device
from antiphon.models import onnx_session
from antiphon.models.card import ModelError, RollCard, read_roll_card
from antiphon.models.onnx_session import OnnxSession
from antiphon.rolls.roll import CHANNELS, KEYS, Roll

CODEC_VERSION: Final = 1
"""What a cell of a roll means, as `antiphon.rolls.roll` has it; a model of another version is refused."""

Code = NDArray[np.float32]
"""Shape [latent]: where a roll lies among all that the model knows."""


class RollModel:
    """Both halves of a variational autoencoder: `encode` and `decode`. It keeps nothing between calls."""

    def __init__(self, session: OnnxSession, card: RollCard) -> None:
        """Raises ModelError if the graph is not what the card says."""
        self.card = card
        self._place = session.runs_on
        roll, code = (1, card.steps, CHANNELS, KEYS), (1, card.latent)
        shapes = (("roll", roll), ("z", code)), (("mean", code), ("log_var", code), ("decoded", roll))
        for kind, wanted, found in zip(("input", "output"), shapes, (session.inputs(), session.outputs()), strict=True):
            for name, shape in wanted:
                if found.get(name) != list(shape):
                    has = f"is {found[name]}" if name in found else "is missing"
                    raise ModelError(
                        f"'{card.path}' does not hold what its metadata say: {kind} '{name}' {has}, "
                        f"wanted {list(shape)}; export its checkpoint again"
                    )
        for name, numbers in card.directions.items():
            if len(numbers) != card.latent:
                raise ModelError(
                    f"'{card.path}' has a direction '{name}' of {len(numbers)} numbers, its codes have {card.latent}; "
                    "export its checkpoint again"
                )
        self._directions = {name: np.array(numbers, np.float32) for name, numbers in card.directions.items()}
        self._roll, self._code = session.tensor(roll), session.tensor(code)
        self._mean, self._decoded = session.tensor(code), session.tensor(roll)
        inputs = {"roll": self._roll, "z": self._code}
        self._encode = session.bind(inputs, {"mean": self._mean}, only_these=True)
        self._decode = session.bind(inputs, {"decoded": self._decoded}, only_these=True)
        for _ in range(session.warm_ups):
            self.decode(self.encode(np.zeros(roll[1:], np.float32)))

    @property
    def runs_on(self) -> str:
        """What really computes, for a person to read."""
        return f"{self._place} (model {self.card.name}, {self.card.precision})"

    def direction(self, name: str) -> Code:
        """What to add to a code [latent] for music that is more so; zeros if the model has no such direction."""
        return self._directions.get(name, np.zeros(self.card.latent, np.float32))

    def encode(self, roll: Roll) -> Code:
        """The mean [latent] of the codes of `roll` [steps, 3, 88]. Raises ModelError if it is not finite."""
        self._roll.array[0] = roll
        self._roll.push()
        self._encode()
        self._mean.pull()
        return self._checked(self._mean.array[0])

    def decode(self, code: Code) -> Roll:
        """The roll [steps, 3, 88] of `code` [latent], with probabilities. Raises ModelError if it is not finite."""
        self._code.array[0] = code
        self._code.push()
        self._decode()
        self._decoded.pull()
        return self._checked(self._decoded.array[0])

    def _checked(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if not np.isfinite(values).all():
            raise ModelError(
                f"model '{self.card.path}' computed a value that is no number; "
                "its weights are damaged, or its training diverged: export an earlier checkpoint"
            )
        return values.copy()


def load_roll_model(path: Path, *, device: Device = "auto") -> RollModel:
    """The model in `path`, ready to be run; `auto` takes the CPU, which is quick enough for a model of this size.

    Raises:
        ModelError: what `read_roll_card` raises; it is of another codec version; its graph is not what its metadata
            say; it cannot be run; or the device is `cuda`, and that does not work here.
    """
    card = read_roll_card(path)
    if card.codec_version != CODEC_VERSION:
        raise ModelError(
            f"'{path}' speaks version {card.codec_version} of the codec roll; this Antiphon speaks {CODEC_VERSION}: "
            "install the Antiphon that made it, or export its checkpoint again"
        )
    return RollModel(onnx_session.open_session(path, "cuda" if device == "cuda" else "cpu"), card)
