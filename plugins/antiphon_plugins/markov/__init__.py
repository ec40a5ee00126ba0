"""The Markov generator: answers in the manner of what it hears, from the first phrase on, without a neural network."""

from __future__ import annotations

from antiphon import Casting, Control, Generator, GeneratorInfo

INFO = GeneratorInfo(
    name="markov",
    summary="learns the player's manner as they play: a variable-order model over a table learnt from scores",
    controls=(
        Control("order", 1, 8, 8, "notes or chords of context that count: low wanders, high quotes"),
        Control("trust", 0, 1, 0.7, "0 plays from the shipped table alone, 1 from the player's own music alone"),
        Control("temperature", 0, 2, 1, "0 always takes the likeliest turn, 2 the most surprising ones"),
        Control("density", 0, 1, 0.5, "0.5 plays about as much as you do, 0 half as much, 1 twice as much"),
    ),
    latency="instant",
    follows="free",
    honours=frozenset({"range", "scale", "polyphony"}),
)


def make(casting: Casting) -> Generator:
    """Make one player. `casting.model`: path of a table made by `antiphon train markov`; None for the shipped one.

    Raises:
        TableError: the table cannot be read, or is not one.
    """
    # Imported here: listing the generators should not cost the time to import numpy.
    from antiphon_plugins.markov.generator import MarkovGenerator
    from antiphon_plugins.markov.table import load_table

    return MarkovGenerator(casting.seed, load_table(casting.model))


__all__ = ["INFO", "make"]
