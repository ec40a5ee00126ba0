"""The path to what the workbench's tests share; and one thread for all that they compute."""

import os
import sys
from pathlib import Path

# Two threads wait for each other at every product: on a busy machine tiny models then take minutes.
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # Read when numpy is loaded.

import pytest
import torch

torch.set_num_threads(1)
# importlib mode leaves sys.path alone; `tiny_models` and `songs` lie beside the tests.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a run of a VAE that is to learn nothing: where it begins and what its directions are is told from a few."""
    from antiphon_export.vae import run

    monkeypatch.setattr(run, "_FIRST_WINDOWS", 60)
    monkeypatch.setattr(run, "_LAST_WINDOWS", 60)
