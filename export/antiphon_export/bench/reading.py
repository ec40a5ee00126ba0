"""How fast one thread of this machine reads memory: no model that has to look at all its weights is faster."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

from antiphon_export.bench.contest import Contestant, take_turns

_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")
_UNKNOWN_CACHE_BYTES: Final = 64_000_000
"""Where the system does not tell: larger than most."""
_ROW: Final = 1024
_TRIALS: Final = 3


def quickest_reading(size_bytes: int) -> Callable[[], object]:
    """A function that reads so many bytes once, in the quickest of three ways that PyTorch has."""
    numbers = torch.ones(max(1, size_bytes // (4 * _ROW)), _ROW)
    flat, vector = numbers.view(-1), torch.ones(_ROW)
    ways = [lambda: torch.mv(numbers, vector), lambda: torch.dot(flat, flat), lambda: flat.sum()]
    times = take_turns([Contestant(str(number), way) for number, way in enumerate(ways)], turns=1, goes=_TRIALS)
    return min(enumerate(ways), key=lambda way: min(times.of(str(way[0]))))[1]


def last_cache_bytes(caches: Path = _CACHES) -> int:
    """Size of the last cache before memory, as the system tells it, or else a guess that is large enough."""
    sizes = [_bytes(file.read_text()) for file in caches.glob("index*/size")]
    return max(sizes, default=_UNKNOWN_CACHE_BYTES)


def beyond_cache_bytes(cache_bytes: int) -> int:
    """Twice the last cache, as far as a quarter of this machine's memory allows."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2 * cache_bytes
    return min(2 * cache_bytes, memory // 4)


def _bytes(text: str) -> int:
    """`480M`, `32768K`, `1024` as a number."""
    text = text.strip()
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 0)
    return int(text[:-1]) * unit if unit else int(text)
