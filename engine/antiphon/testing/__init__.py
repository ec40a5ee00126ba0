"""The test kit for plugins: rules, checked; a stage to play on; doubles for clock and output. It opens no port.

A generator's whole test is `check_generator(make, INFO)`, an output's `check_output(open_output)`.
"""

from __future__ import annotations

from antiphon.music.clock import ManualClock
from antiphon.stateful_generator import StatefulGenerator
from antiphon.testing.check import Report, check_generator
from antiphon.testing.outputs import OutputReport, check_output
from antiphon.testing.phrases import sample_phrases, streamed
from antiphon.testing.recording import RecordingOutput, SentNote
from antiphon.testing.stage import Stage
from antiphon.testing.trial import BrokenRule

__all__ = [
    "BrokenRule",
    "ManualClock",
    "OutputReport",
    "RecordingOutput",
    "Report",
    "SentNote",
    "Stage",
    "StatefulGenerator",
    "check_generator",
    "check_output",
    "sample_phrases",
    "streamed",
]
