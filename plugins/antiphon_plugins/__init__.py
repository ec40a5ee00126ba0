"""The built-in generators. They enter through the same entry point as a stranger's plugin."""

from __future__ import annotations

from antiphon import RegisterGenerator, hookimpl


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """Markov, the models of notes and of tokens, the VAE, and three small ones: dice, rules, progression."""
    from antiphon_plugins import dice, lstm, markov, notes, progression, rules, transformer, vae

    register(markov.INFO, markov.make)
    register(notes.INFO, notes.make)
    register(notes.GRID_INFO, notes.make_grid)
    register(transformer.INFO, transformer.make)
    register(transformer.GRID_INFO, transformer.make_grid)
    register(lstm.INFO, lstm.make)
    register(vae.INFO, vae.make)
    register(dice.INFO, dice.make)
    register(rules.INFO, rules.make)
    register(progression.INFO, progression.make)
