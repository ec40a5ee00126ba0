"""The built-in generators. They enter through the same entry point as a stranger's plugin."""

from __future__ import annotations

from antiphon import RegisterGenerator, hookimpl


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """Markov, the Transformers, the LSTM and the VAE."""
    from antiphon_plugins import lstm, markov, notes, transformer, vae

    register(markov.INFO, markov.make)
    register(notes.INFO, notes.make)
    register(notes.GRID_INFO, notes.make_grid)
    register(transformer.INFO, transformer.make)
    register(transformer.GRID_INFO, transformer.make_grid)
    register(lstm.INFO, lstm.make)
    register(vae.INFO, vae.make)
