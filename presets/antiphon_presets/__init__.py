"""The presets that ship with Antiphon: TOML files in this folder, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from antiphon import hookimpl


@hookimpl
def register_presets(register: Callable[[Path], None]) -> None:
    """This folder."""
    register(Path(__file__).parent)
