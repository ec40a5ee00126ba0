"""A variational autoencoder that plays between two pieces of music, and variations of one."""

from __future__ import annotations

from pathlib import Path

from antiphon import Casting, Control, Generator, GeneratorInfo

_FOLDER = Path(__file__).parent

INFO = GeneratorInfo(
    name="vae",
    summary="plays between two pieces of music, A and B, or variations of what you played; to the beat",
    controls=(
        Control("position", 0, 1, 0.5, "0 plays A, 1 plays B, what lies between them a mixture of both"),
        Control("ramp_bars", 0, 64, 0, "travels from A to B in so many bars, then back; 0 leaves that to position"),
        Control("wander", 0, 1, 0, "how far the position drifts by itself, slowly; 1 goes all the way"),
        Control(
            "stray", 0, 1, 0.25, "how far it leaves the line between A and B; 0 keeps to it, 1 leaves all to chance"
        ),
        Control("density", -2, 2, 0, "more notes, or fewer below 0"),
        Control("register", -2, 2, 0, "higher, or lower below 0"),
        Control("loudness", -2, 2, 0, "louder, or softer below 0"),
        Control("human", 0, 1, 1, "how much of the timing and the accents of A and B it takes over; 0 is a machine"),
    ),
    latency="quick",
    follows="beat",
    models=_FOLDER,
    interpolates=True,
)


def make(casting: Casting) -> Generator:
    """Make one player. `casting.model`: a model of the codec `roll`; None for the shipped one.

    Raises:
        ModelError: the model cannot be used, or is of another kind.
    """
    # Here, so that listing the generators stays cheap.
    from antiphon.rolls import load_roll_model
    from antiphon_plugins.vae.generator import Interpolator

    path = _FOLDER / "vae.onnx" if casting.model is None else Path(casting.model)
    return Interpolator(casting.seed, load_roll_model(path, device=casting.device))


__all__ = ["INFO", "make"]
