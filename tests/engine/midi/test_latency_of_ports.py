"""How long a note takes there and back, on a port played by a stand-in; the real ones are timed in tests/e2e."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from antiphon.doctor import latency
from antiphon.doctor.latency import Returns, RoundTrips, time_notes
from antiphon.errors import AntiphonError
from antiphon.music.messages import is_note_off, is_note_on, note_off, note_on


class Loop:
    """An output whose notes come back, on a clock that is turned by looking at it and by sleeping."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float, connected_at: float = 0.0) -> None:
        self.now = 0.0
        self.returns = Returns()
        self.sent: list[tuple[float, bytes]] = []
        self.loses: set[int] = set()
        self.late: set[int] = set()
        self._seconds = seconds
        self._connected_at = connected_at
        self._flying: list[tuple[float, bytes]] = []
        monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=self.look, sleep=self.sleep))

    def look(self) -> float:
        self.sleep(1e-6)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for arrives, message in [flying for flying in self._flying if flying[0] <= self.now]:
            self._flying.remove((arrives, message))
            self.returns.receive(message, arrives)

    def send(self, message: bytes, at_seconds: float | None) -> None:
        self.sent.append((self.now if at_seconds is None else at_seconds, message))
        number = sum(is_note_on(message) for _, message in self.sent)
        if self.now < self._connected_at or number in self.loses:
            return
        # Some DAWs put everything on the channel of the track.
        self._flying.append(
            (self.now + (2.0 if number in self.late else self._seconds), bytes([message[0] & 0xF0]) + message[1:])
        )


def test_every_note_is_timed_and_ended_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(monkeypatch, 0.004)
    trips = time_notes(loop.send, loop.returns, 1.0)
    assert (trips.sent, trips.lost) == (100, 0)
    assert trips.milliseconds() == pytest.approx(dict.fromkeys(("p50", "p95", "p99", "max"), 4.0), abs=0.01)
    kinds = [message[0] & 0xF0 for _, message in loop.sent]
    assert kinds == [0x90, 0x80] * 101
    assert (
        len({round(later[0] - note[0], 6) for note, later in zip(loop.sent[::2], loop.sent[2::2], strict=False)}) > 50
    )


def test_notes_that_do_not_come_back_are_counted_and_one_that_comes_late_is_not_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = Loop(monkeypatch, 0.004)
    loop.loses, loop.late = {5, 6}, {40}
    trips = time_notes(loop.send, loop.returns, 1.0)
    assert trips.lost == 3
    assert trips.milliseconds()["max"] == pytest.approx(4.0, abs=0.01)


def test_it_waits_for_a_connection_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(monkeypatch, 0.002, connected_at=7.0)
    assert time_notes(loop.send, loop.returns, 10.0, count=3).lost == 0
    loop = Loop(monkeypatch, 0.002, connected_at=100.0)
    with pytest.raises(AntiphonError, match="no note came back within 10 s; connect the output to the input"):
        time_notes(loop.send, loop.returns, 10.0)
    assert is_note_off(loop.sent[-1][1]), "and nothing hangs"


def test_a_note_is_ended_even_if_the_measuring_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(monkeypatch, 0.004)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(latency.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        time_notes(loop.send, loop.returns, 1.0)
    assert loop.sent[-1][1][0] & 0xF0 == 0x80


@pytest.mark.parametrize(
    ("median", "one_way", "offset"),
    [(0.008, False, -4.0), (0.008, True, -8.0), (0.00004, False, 0.0), (0.3, False, -100.0), (0.00267, True, -2.7)],
)
def test_the_offset_makes_up_for_the_way_there(median: float, one_way: bool, offset: float) -> None:
    trips = RoundTrips(3, (median, 0.0, 1.0))
    assert trips.offset_ms(one_way=one_way) == offset
    assert str(RoundTrips(1, (0.0,)).offset_ms(one_way=one_way)) == "0.0"


def test_only_note_ons_count_as_returns() -> None:
    returns = Returns()
    for message in (b"\xf8", note_off(0, 60), b"\x90\x3c\x00", note_on(3, 60, 1)):
        returns.receive(message, 1.0 if is_note_on(message) else 0.0)
    assert returns.wait_for(60, 0.0) == 1.0
