"""The path to what the workbench's tests share; and one thread for all that they compute."""

import os
import sys
from pathlib import Path

# Two threads wait for each other at every product: on a busy machine tiny models then take minutes.
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # Read when numpy is loaded.

import torch

torch.set_num_threads(1)
# importlib mode leaves sys.path alone; `tiny_models` and `songs` lie beside the tests.
sys.path.insert(0, str(Path(__file__).parent))
