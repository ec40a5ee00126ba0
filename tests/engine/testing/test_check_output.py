"""The kit on outputs: a good one passes, and a bad one is caught by what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from antiphon import OutputPort
from antiphon.testing import BrokenRule, RecordingOutput, check_output


def test_a_good_output_passes() -> None:
    report = check_output(RecordingOutput, "lights", allowance=1000)
    assert (report.name, report.stamps) == ("lights", True)
    assert 0 < report.send_seconds[0] <= report.send_seconds[1] <= report.send_seconds[2]
    assert "'lights' stamps" in str(report)


class Silent(RecordingOutput):
    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        """Takes anything, whether closed or not."""


class Picky(RecordingOutput):
    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        if message[0] == 0xF0:
            raise ValueError("too exclusive")
        super().send(message, at_seconds)


class Waits(RecordingOutput):
    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        time.sleep(0.002)
        super().send(message, at_seconds)


class ClosesOnce(RecordingOutput):
    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        super().close()


class Nameless(RecordingOutput):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = 7  # type: ignore[assignment] # wrong on purpose


def fails(name: str) -> OutputPort:
    raise OSError("no such device")


@pytest.mark.parametrize(
    ("bad", "allowance", "sentence"),
    [
        (fails, 1000, "it opens: open_output raised OSError: no such device"),
        (Nameless, 1000, "it opens: its attribute name is 7; it must be a str"),
        (lambda name: object(), 1000, "it opens: its attribute name is 'missing'; it must be a str"),
        (Picky, 1000, "it takes every message: send(f0 00 01) raised ValueError: too exclusive"),
        (Waits, 1, "sending does not wait: "),
        (ClosesOnce, 1000, "it closes: the second close raised RuntimeError: closed already"),
        (Silent, 1000, "what is closed says so: send after close raised nothing; it must raise PortGone"),
    ],
)
def test_a_bad_output_is_caught(bad: Callable[[str], OutputPort], allowance: float, sentence: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        check_output(bad, allowance=allowance)
    assert str(caught.value).startswith(sentence)
