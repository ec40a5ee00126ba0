"""The test kit for plugins: a generator's rules, checked, and doubles for clock and output. It opens no port.

A generator's whole test is `check_generator(make, INFO)`.
"""

from __future__ import annotations

from antiphon.clock import ManualClock
from antiphon.stateful_generator import StatefulGenerator
from antiphon.testing.check import Report, check_generator
from antiphon.testing.phrases import sample_phrases, streamed
from antiphon.testing.recording import RecordingOutput, SentNote
from antiphon.testing.trial import BrokenRule

__all__ = [
    "BrokenRule",
    "ManualClock",
    "RecordingOutput",
    "Report",
    "SentNote",
    "StatefulGenerator",
    "check_generator",
    "sample_phrases",
    "streamed",
]
