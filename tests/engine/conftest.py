"""Settings of the engine's tests, and the path to what they share."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# importlib mode leaves sys.path alone; what tests share lies here, or in a test of one of the rooms.
_HERE = Path(__file__).parent
sys.path[:0] = [str(folder) for folder in (_HERE, *sorted(_HERE.glob("*/")))]

settings.register_profile("engine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("engine")
