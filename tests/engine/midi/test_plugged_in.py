"""An output that a plugin brings: whatever it raises, the host is told in its own words."""

from __future__ import annotations

import pytest

from antiphon import AntiphonError, OutputPort, PortGone
from antiphon.midi.plugged_in import open_plugged_in
from antiphon.testing import RecordingOutput


class Breaks(RecordingOutput):
    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        raise OSError("cable cut")

    def close(self) -> None:
        raise OSError("cable cut")


def test_a_message_goes_through_with_its_moment() -> None:
    opened: list[RecordingOutput] = []

    def open_output(name: str) -> OutputPort:
        opened.append(RecordingOutput(name))
        return opened[-1]

    port = open_plugged_in("lights", open_output)
    port.send(b"\x90\x3c\x40", 1.5)
    assert (port.name, port.stamps, opened[0].sent) == ("lights", True, [(b"\x90\x3c\x40", 1.5)])
    port.close()
    assert opened[0].closed


def test_what_it_raises_when_it_sends_means_that_it_is_gone() -> None:
    port = open_plugged_in("lights", Breaks)
    with pytest.raises(PortGone, match="output 'lights': OSError: cable cut"):
        port.send(b"\x90\x3c\x40")
    port.close()


def test_what_cannot_be_opened_or_is_no_output_is_told_by_name() -> None:
    def fails(name: str) -> OutputPort:
        raise OSError("no such device")

    with pytest.raises(AntiphonError, match="output 'lights' cannot be opened: OSError: no such device"):
        open_plugged_in("lights", fails)
    with pytest.raises(AntiphonError, match="output 'lights' is a object, which has no name and no stamps and no send"):
        open_plugged_in("lights", lambda name: object())  # type: ignore[arg-type,return-value] # wrong on purpose
