"""What leaves the engine, what is put on record of it, and when the supervisor is told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from antiphon.duet.commands import Extend, Prime
from antiphon.duet.duet import Duet
from antiphon.duet.events import Event
from antiphon.duet.plan import Plan
from antiphon.duet.schedule import PLAYER, Send
from antiphon.generator import Request
from antiphon.music.messages import note_off, note_on
from antiphon.notes import Note
from antiphon.output import PortGone
from antiphon.processes.delivery import Delivery
from antiphon.processes.protocol import Asked, Records, Report, Sounded

VOICE = 0


@dataclass(eq=False)
class Told:
    """In place of a link: what was sent to a peer."""

    messages: list[Any] = field(default_factory=list)

    def send(self, message: Any) -> None:
        self.messages.append(message)


@dataclass
class Port:
    name: str = "out"
    stamps: bool = False
    gone: bool = False
    sent: list[bytes] = field(default_factory=list)

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        if self.gone:
            raise PortGone("unplugged")
        self.sent.append(message)


class Nobody:
    """A stage on which nothing is heard: the tests send by hand."""

    def send(self, send: Send) -> None: ...

    def ask(self, slot: int, command: Prime | Extend) -> None: ...

    def record(self, event: Event) -> None: ...


class Scene:
    def __init__(self, folder: Path, plan: Plan) -> None:
        self.port, self.supervisor = Port(), Told()
        self.lost: list[int] = []
        self.delivery = Delivery(folder, Duet([plan], Nobody()), time.perf_counter())
        self.delivery.ports = SimpleNamespace(outputs=[self.port], lose_output=self.lost.append)
        self.reports = self.delivery.reports
        self.reports.begin(self.supervisor)

    def records(self) -> list[bytes]:
        told = [message for message in self.supervisor.messages if isinstance(message, Records)]
        return [record.what.message for records in told for record in records.records]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, Plan(outputs=("virtual",)))


def test_what_is_sent_is_on_record_before_a_person_is_told_anything_later(scene: Scene) -> None:
    scene.delivery.send(Send(0, note_on(0, 60, 80), 0, PLAYER))
    assert scene.port.sent == [note_on(0, 60, 80)]
    assert scene.supervisor.messages == [], "nobody is let in for that"
    scene.reports.report("a word")
    assert scene.records() == [note_on(0, 60, 80)]
    assert scene.supervisor.messages[-1] == Report("a word")
    scene.reports.flush()
    assert len(scene.supervisor.messages) == 2, "everything is told once"


def test_a_port_that_fails_is_let_go_of_and_its_note_is_not_taken_for_late(scene: Scene) -> None:
    scene.port.gone = True
    scene.delivery.send(Send(0, note_on(0, 60, 80), 0, PLAYER))
    scene.reports.flush()
    assert scene.lost == [0]
    assert scene.supervisor.messages[0].records[0].late_seconds is None


def test_what_an_output_may_have_missed_the_end_of_is_ended_again_but_not_what_sounds(scene: Scene) -> None:
    for message in (note_on(0, 60, 80), note_on(0, 64, 80), note_off(0, 60)):
        scene.delivery.send(Send(0, message, 0, PLAYER))
    scene.port.sent.clear()
    scene.delivery.end_what_was_missed(spare=True)
    assert scene.port.sent == [note_off(0, 60)]
    scene.delivery.end_what_was_missed()
    assert scene.port.sent == [note_off(0, 60), note_off(0, 60), note_off(0, 64)]


def test_the_sound_is_another_process_and_may_not_be_there(tmp_path: Path) -> None:
    scene, sound = Scene(tmp_path, Plan(outputs=("synth",))), Told()
    scene.delivery.send(Send(0, note_on(0, 60, 80), 0, VOICE))
    scene.delivery.sound = sound
    scene.delivery.send(Send(0, note_off(0, 60), 0, VOICE))
    assert sound.messages == [Sounded(note_off(0, 60))]
    scene.reports.flush()
    assert [record.late_seconds is None for record in scene.supervisor.messages[0].records] == [True, False]


def test_players_of_one_process_are_asked_in_one_message_and_those_that_are_gone_are_not(scene: Scene) -> None:
    both, request = Told(), Request(480, 480)
    scene.delivery.players = {0: both, 1: both}
    prime = Prime(0, "main", 7, 0, (Note(0, 60, 10, 80), Note(9, 60, 10, 80)), 480)
    for slot in (0, 1, 2):
        scene.delivery.ask(slot, prime)
        scene.delivery.ask(slot, Extend(0, "main", 7, 0, request))
    assert both.messages == []
    assert scene.delivery.hand_over() == 4
    assert both.messages == [
        Asked(tuple((slot, command) for slot in (0, 1) for command in (prime, Extend(0, "main", 7, 0, request))))
    ]
    assert scene.delivery.hand_over() == 0
    assert len(both.messages) == 1


def test_of_a_flood_little_is_kept_and_nothing_that_is_not_stale_is_lost(scene: Scene) -> None:
    player = Told()
    scene.delivery.players = {0: player}
    notes = [Note(n, 60, 1, 80) for n in range(1000)]
    for epoch, note in enumerate(notes):
        scene.delivery.ask(0, Prime(0, "main", epoch, epoch, (note,), epoch + 1))
        scene.delivery.ask(0, Extend(0, "main", epoch, 0, Request(epoch + 1, 480)))
    scene.delivery.hand_over()
    ((_, told), (_, asked)) = player.messages[0].commands
    assert told == Prime(0, "main", 999, 0, tuple(notes), 1000)
    assert asked == Extend(0, "main", 999, 0, Request(1000, 480))


def test_a_record_is_told_when_nothing_of_its_step_waits_any_more(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Plan(outputs=("virtual",), latency={"virtual": 30}))
    scene.delivery.begin_step()
    scene.delivery.send(Send(0, note_on(0, 60, 80), 0, VOICE))
    scene.reports.flush()
    assert scene.port.sent == []
    assert scene.records() == [], "had the engine died now, nobody could tell whether it was sent"
    until = time.perf_counter() + 5
    while not scene.port.sent and time.perf_counter() < until:
        scene.delivery.let_leave()
    scene.reports.flush()
    assert scene.records() == [note_on(0, 60, 80)]
    assert scene.supervisor.messages[0].records[0].late_seconds >= 0
