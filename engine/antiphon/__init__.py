"""Antiphon: a bandmate on a MIDI keyboard."""

from antiphon.generator import (
    Casting,
    Constraints,
    Control,
    Gap,
    Generator,
    GeneratorInfo,
    LatencyClass,
    Morph,
    RegisterGenerator,
    Request,
)
from antiphon.hooks import hookimpl
from antiphon.notes import TICKS_PER_BEAT, Note, Phrase

__version__ = "0.1.0"

__all__ = [
    "TICKS_PER_BEAT",
    "Casting",
    "Constraints",
    "Control",
    "Gap",
    "Generator",
    "GeneratorInfo",
    "LatencyClass",
    "Morph",
    "Note",
    "Phrase",
    "RegisterGenerator",
    "Request",
    "hookimpl",
]
