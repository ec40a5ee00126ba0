"""The path to what the workbench's tests share."""

import sys
from pathlib import Path

# importlib mode leaves sys.path alone; `tiny_models` and `songs` lie beside the tests.
sys.path.insert(0, str(Path(__file__).parent))
