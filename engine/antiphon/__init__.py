"""Antiphon: a bandmate on a MIDI keyboard. What a plugin author needs is here, in `tokens`, `rolls` and `testing`."""

from antiphon.controls import ChoiceControl, Control, TextControl
from antiphon.errors import AntiphonError
from antiphon.generator import (
    LIMITS,
    Casting,
    Constraint,
    Constraints,
    Device,
    Follows,
    Gap,
    Generator,
    GeneratorInfo,
    Given,
    IllegalPhrase,
    LatencyClass,
    Limits,
    MakeGenerator,
    Morph,
    RegisterGenerator,
    Request,
    check_phrase,
)
from antiphon.hooks import hookimpl
from antiphon.music.pulse import Pulse
from antiphon.music.tonality import Key
from antiphon.notes import STEP_TICKS, TICKS_PER_BEAT, Note, Phrase, score_order
from antiphon.output import OpenOutput, OutputPort, PortGone, RegisterOutput
from antiphon.stateful_generator import StatefulGenerator

__version__ = "0.1.0"

__all__ = [
    "LIMITS",
    "STEP_TICKS",
    "TICKS_PER_BEAT",
    "AntiphonError",
    "Casting",
    "ChoiceControl",
    "Constraint",
    "Constraints",
    "Control",
    "Device",
    "Follows",
    "Gap",
    "Generator",
    "GeneratorInfo",
    "Given",
    "IllegalPhrase",
    "Key",
    "LatencyClass",
    "Limits",
    "MakeGenerator",
    "Morph",
    "Note",
    "OpenOutput",
    "OutputPort",
    "Phrase",
    "PortGone",
    "Pulse",
    "RegisterGenerator",
    "RegisterOutput",
    "Request",
    "StatefulGenerator",
    "TextControl",
    "check_phrase",
    "hookimpl",
    "score_order",
]
