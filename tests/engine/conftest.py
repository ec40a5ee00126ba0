"""The path to what the engine's tests share."""

import sys
from pathlib import Path

# importlib mode leaves sys.path alone; what tests share lies here, or in a test of one of the rooms.
_HERE = Path(__file__).parent
sys.path[:0] = [str(folder) for folder in (_HERE, *sorted(_HERE.glob("*/")))]
