"""What memory can give is measured on arrays of a size that means something."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from antiphon_export.bench.reading import beyond_cache_bytes, last_cache_bytes, quickest_reading


def test_the_last_cache_is_the_largest_that_the_system_tells_of(tmp_path: Path) -> None:
    for index, size in enumerate(("48K\n", "2048K\n", "480M\n", "1024\n")):
        (tmp_path / f"index{index}").mkdir()
        (tmp_path / f"index{index}" / "size").write_text(size)
    assert last_cache_bytes(tmp_path) == 480 * 1024**2


def test_a_system_that_does_not_tell_has_a_cache_all_the_same(tmp_path: Path) -> None:
    assert last_cache_bytes(tmp_path) == 64_000_000


def test_what_is_beyond_the_cache_still_fits_into_memory() -> None:
    assert beyond_cache_bytes(1_000_000) == 2_000_000
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert beyond_cache_bytes(memory) == memory // 4


def test_a_reading_looks_at_every_number() -> None:
    size_bytes = 64 * 1024
    read = torch.as_tensor(quickest_reading(size_bytes)())
    assert float(read.sum()) == size_bytes / 4  # They are all ones.
