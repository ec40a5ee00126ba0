"""Antiphon: a bandmate on a MIDI keyboard."""

from antiphon.generator import Casting, Constraints, Control, Generator, GeneratorInfo, Morph, Request
from antiphon.hooks import hookimpl
from antiphon.notes import TICKS_PER_BEAT, Note, Phrase

__version__ = "0.1.0"

__all__ = [
    "TICKS_PER_BEAT",
    "Casting",
    "Constraints",
    "Control",
    "Generator",
    "GeneratorInfo",
    "Morph",
    "Note",
    "Phrase",
    "Request",
    "hookimpl",
]
