"""The built-in generators. They enter through the same entry point as a stranger's plugin."""

from __future__ import annotations

from antiphon import hookimpl
from antiphon.generator import RegisterGenerator


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """Markov."""
    from antiphon_plugins.markov import INFO, make

    register(INFO, make)
