"""What a generator's beat is worth to those who watch its process."""

from __future__ import annotations

from pathlib import Path

from antiphon.generator import LIMITS, Casting
from antiphon.processes.heartbeat import Heartbeat
from antiphon.processes.players import Beat
from antiphon.processes.protocol import Greeting
from antiphon.processes.runtime import join_hub
from antiphon.processes.shared_folder import SharedFolder


def test_a_beat_counts_for_as_long_as_the_generator_s_class_allows(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path)
    beat = Beat(heartbeat, Heartbeat.FIRST_PLAYER)
    beat()
    assert heartbeat.silent_seconds(Heartbeat.FIRST_PLAYER) is None, "while it is made, nobody may take it for ready"
    beat.count_for(1000)
    beat()
    assert heartbeat.silent_seconds(Heartbeat.FIRST_PLAYER) is not None
    heartbeat.reset(Heartbeat.FIRST_PLAYER)
    beat.count_for(0)
    beat()
    assert heartbeat.silent_seconds(Heartbeat.FIRST_PLAYER) is None, "its time is over"


def test_who_waits_for_an_engine_that_is_slow_to_start_is_not_taken_for_hung(tmp_path: Path) -> None:
    heartbeat, enough = Heartbeat(tmp_path), iter([False, False, False, True])
    seen: list[float | None] = []

    def give_up() -> bool:
        seen.append(heartbeat.silent_seconds(Heartbeat.FIRST_PLAYER))
        heartbeat.reset(Heartbeat.FIRST_PLAYER)
        return next(enough)

    shared = SharedFolder(tmp_path, Heartbeat.FIRST_PLAYER)
    greeting = Greeting("player", shared.place)
    assert join_hub(shared, greeting, give_up, lambda: heartbeat.beat(shared.place)) is None
    assert seen[0] is None
    assert None not in seen[1:]
    assert len(seen) == 4


def test_the_slower_the_class_the_longer_it_may_take() -> None:
    limits = [LIMITS[latency] for latency in ("instant", "quick", "heavy")]
    assert sorted(limits, key=lambda limit: (limit.bar_seconds, limit.call_seconds)) == limits
    assert all(limit.bar_seconds < limit.call_seconds for limit in limits)


def test_who_listens_to_a_beat_makes_no_other_casting_of_it() -> None:
    assert Casting(1, beat=lambda: None) == Casting(1)
    Casting(1).beat()
