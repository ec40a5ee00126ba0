"""Settings of the engine's tests, and the path to what they share."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# importlib mode leaves sys.path alone; `stages` and `toys` lie beside the tests.
sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("engine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("engine")
