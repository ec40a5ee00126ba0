"""The path to what the workbench's tests share; and one thread for all that they compute."""

import sys
from pathlib import Path

import torch

# importlib mode leaves sys.path alone; `tiny_models` and `songs` lie beside the tests.
sys.path.insert(0, str(Path(__file__).parent))
# Two threads wait for each other at every product: on a busy machine tiny models then take minutes.
torch.set_num_threads(1)
