"""Antiphon: a bandmate on a MIDI keyboard."""

from antiphon.controls import ChoiceControl, Control, TextControl
from antiphon.generator import Casting, Constraints, Generator, GeneratorInfo, Morph, Request
from antiphon.hooks import hookimpl
from antiphon.notes import TICKS_PER_BEAT, Note, Phrase
from antiphon.stateful_generator import StatefulGenerator

__version__ = "0.1.0"

__all__ = [
    "TICKS_PER_BEAT",
    "Casting",
    "ChoiceControl",
    "Constraints",
    "Control",
    "Generator",
    "GeneratorInfo",
    "Morph",
    "Note",
    "Phrase",
    "Request",
    "StatefulGenerator",
    "TextControl",
    "hookimpl",
]
