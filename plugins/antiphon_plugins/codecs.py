"""Which of the built-in generators plays which codec. It plays nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PLAYERS: Final[Mapping[str, str]] = {
    "performance": "transformer",
    "grid": "grid-transformer",
    "roll": "vae",
    "notes": "notes",
}
"""By codec, the generator that plays models of it, whatever their architecture."""
