"""How long the VAE that comes with Antiphon takes to encode, to decode and to load, on one thread. It judges no music.

What is measured is `RollModel`, as the generator calls it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import numpy as np

import antiphon_plugins
from antiphon.rolls.model import load_roll_model
from antiphon.rolls.roll import CHANNELS, KEYS
from antiphon_export.bench.contest import Contestant, take_turns
from antiphon_export.bench.figures import Row, Target, Unmeasured, milliseconds

SHIPPED: Final = Path(antiphon_plugins.__file__).parent / "vae" / "vae.onnx"
_ENCODE: Final = Target("p50", 5)
_DECODE: Final = Target("p50", 3)
_NOTES: Final = 0.015
"""Share of the cells in which a note begins."""


def vae_halves(folder: Path, turns: int, goes: int, loads: int, path: Path = SHIPPED) -> list[Row]:
    """Both halves of the VAE in `path`, which is loaded `loads` times. `turns`, `goes`: see `take_turns`.

    Nothing is written to `folder`.
    """
    if not path.is_file():
        return [Unmeasured("VAE", "there is no such model yet; see docs/models")]
    loading = []
    for _ in range(loads):
        before = time.perf_counter()
        model = load_roll_model(path, device="cpu")
        loading.append(time.perf_counter() - before)
    random = np.random.default_rng(1)
    roll = (random.random((model.card.steps, CHANNELS, KEYS)) < _NOTES).astype(np.float32)
    code = random.standard_normal(model.card.latent).astype(np.float32)
    contestants = [
        Contestant("encode", lambda: model.encode(roll)),
        Contestant("decode", lambda: model.decode(code)),
    ]
    times = take_turns(contestants, turns, goes)
    what = f"VAE, {model.card.precision}: {{}} a window of {model.card.steps} sixteenths"
    return [
        milliseconds(what.format("encoding"), times.of("encode"), _ENCODE),
        milliseconds(what.format("decoding"), times.of("decode"), _DECODE),
        milliseconds("  loading", loading),
    ]
