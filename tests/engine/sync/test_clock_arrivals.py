"""When the messages of a clock count, if its port is late."""

from __future__ import annotations

import pytest
from test_clock_steering import Led

from antiphon.sync.midi_clock_arrivals import Arrival, ClockArrivals

PULSE, START = b"\xf8", b"\xfa"


def test_a_late_port_s_clock_counts_earlier_and_at_once() -> None:
    arrivals = ClockArrivals()
    arrivals.put("in", PULSE, 2.0, -0.5)
    assert arrivals.due(2.0) == [Arrival("in", PULSE, 1.5)]
    assert arrivals.next_seconds() is None


def test_one_that_is_to_count_later_waits_until_then() -> None:
    arrivals = ClockArrivals()
    arrivals.put("keys", START, 2.0, 0.5)
    arrivals.put("in", PULSE, 2.1, 0.0)
    assert arrivals.next_seconds() == 2.1
    assert arrivals.due(2.2) == [Arrival("in", PULSE, 2.1)]
    assert arrivals.due(2.5) == [Arrival("keys", START, 2.5)]


def test_a_port_keeps_its_order_when_its_offset_changes() -> None:
    arrivals = ClockArrivals()
    arrivals.put("in", PULSE, 2.0, 0.0)
    arrivals.put("in", START, 2.02, -0.1)
    arrivals.put("in", PULSE, 2.02, 0.1)
    assert [(a.message, a.seconds) for a in arrivals.due(3.0)] == [(PULSE, 2.0), (START, 2.0), (PULSE, 2.12)]


@pytest.mark.parametrize("offset_ms", [-40.0, 0.0, 40.0])
def test_the_bars_fall_where_the_clock_counts_and_not_where_it_comes(offset_ms: float) -> None:
    led, arrivals = Led(jitter="none"), ClockArrivals()
    led.start()
    off, off_from_counted = [], []
    for due, _ in led.daw.pulses(24, 120):
        arrivals.put("daw", PULSE, due, offset_ms / 1000)
        led.wait_until(max(due, due + offset_ms / 1000))
        for arrival in arrivals.due(led.stage.clock.now()):
            led.steering.hear(arrival.port, arrival.message, arrival.seconds)
        off.append(led.off(due))
        off_from_counted.append(led.off(due + offset_ms / 1000))
    assert off[-1] == pytest.approx(abs(offset_ms), abs=2)
    assert off_from_counted[-1] == pytest.approx(0, abs=2)  # Were it the wrong way round, it would be twice as much.
