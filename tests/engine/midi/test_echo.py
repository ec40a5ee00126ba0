"""What came back is left out, what a player plays is not, and nothing gets stuck: on made-up DAWs, late as they are."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.midi.echo import Echoes
from antiphon.music import messages
from antiphon.music.messages import control_change, note_off, note_on, program_change

KEYS, DAW = "keys:out", "Antiphon:in"
Timed = tuple[float, str, bytes]
Way = Callable[[float, bytes], Iterable[Timed]]
"""What becomes of a message that left: when, where and as what it comes back."""


def thru(delay: float, port: str = DAW, channel: int | None = None, copies: int = 1) -> Way:
    """A DAW that sends everything back, on a channel of its own if one is given."""

    def back(seconds: float, message: bytes) -> Iterable[Timed]:
        if channel is not None and message[0] < 0xF0:
            message = bytes((message[0] & 0xF0 | channel,)) + message[1:]
        return [(seconds + delay, port, message)] * copies

    return back


def no_way(seconds: float, message: bytes) -> Iterable[Timed]:
    return []


class Room:
    """A player and a voice, and a host that passes on what it hears: the guard is all that is real."""

    def __init__(self, way: Way = no_way, *, passes_on: bool = True) -> None:
        self.way = way
        self.passes_on = passes_on
        self.told: list[str] = []
        self.echoes = Echoes(self.told.append)
        self.heard: list[Timed] = []
        self.down: set[tuple[str, int, int]] = set()
        """Keys that who hears all this takes for down, by port, channel and pitch."""
        self._events: list[tuple[float, int, str | None, bytes]] = []
        self._numbers = itertools.count()

    def play(self, *timed: Timed) -> Room:
        """The player plays: seconds, port, message."""
        for seconds, port, message in timed:
            heapq.heappush(self._events, (seconds, next(self._numbers), port, message))
        return self

    def answer(self, *timed: tuple[float, bytes]) -> Room:
        """A voice plays."""
        for seconds, message in timed:
            heapq.heappush(self._events, (seconds, next(self._numbers), None, message))
        return self

    def run(self, most: int = 20_000) -> Room:
        for _ in range(most):
            if not self._events:
                return self
            seconds, _, port, message = heapq.heappop(self._events)
            if port is None:
                self._send(seconds, message, own=False)
            elif not self.echoes.is_echo(port, message, seconds):
                self.heard.append((seconds, port, message))
                self._hold(port, message)
                if self.passes_on:
                    self._send(seconds, message, own=True)
        raise AssertionError(f"it goes in circles: {[m.hex() for _, _, m in self.heard[-6:]]}")

    def _send(self, seconds: float, message: bytes, *, own: bool) -> None:
        self.echoes.sent(0, message, seconds, own=own)
        self.play(*self.way(seconds, message))

    def _hold(self, port: str, message: bytes) -> None:
        key = (port, messages.channel(message), message[1])
        if messages.is_note_on(message):
            self.down.add(key)
        elif messages.is_note_off(message):
            self.down.discard(key)

    @property
    def music(self) -> list[bytes]:
        return [message for _, _, message in self.heard]


def tones(
    times: Iterable[float], pitch: int = 60, *, length: float = 0.15, velocity: int = 100, channel: int = 0
) -> list[tuple[float, bytes]]:
    """The same key, again and again."""
    both = ((t, note_on(channel, pitch, velocity)) for t in times)
    return sorted(event for t, on in both for event in ((t, on), (t + length, note_off(channel, pitch))))


def on(port: str, timed: Iterable[tuple[float, bytes]]) -> list[Timed]:
    return [(seconds, port, message) for seconds, message in timed]


def scale(start: float = 0.0, channel: int = 1, gap: float = 0.2) -> list[tuple[float, bytes]]:
    """A melody with a touch of its own."""
    return [
        event
        for n, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))
        for event in tones([start + n * gap], pitch, velocity=60 + 5 * n, channel=channel)
    ]


# ---- what comes back is left out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", [None, 0, 1, 9])
@pytest.mark.parametrize("delay", [0.0002, 0.003, 0.02, 0.06, 0.09])
def test_a_voice_never_hears_itself_from_the_first_note_on(delay: float, channel: int | None) -> None:
    room = Room(thru(delay, channel=channel)).answer(*scale()).run()
    assert room.music == []
    assert len(room.told) == 1


@pytest.mark.parametrize("channel", [None, 0, 1, 9])
@pytest.mark.parametrize("delay", [0.0002, 0.003, 0.02, 0.06, 0.12])
def test_what_a_player_plays_into_a_loop_is_heard_once(delay: float, channel: int | None) -> None:
    """Held longer than the loop takes, a key cannot have been struck again."""
    played = on(DAW, scale(channel=0))
    room = Room(thru(delay, channel=channel)).play(*played).run()
    if channel in (None, 0):
        assert room.heard == played
    assert [m for m in room.music if messages.channel(m) == 0 or channel == 0][: len(played)]
    assert len(room.told) == 1
    assert room.down == set()


@pytest.mark.parametrize("channel", [None, 9])
@pytest.mark.parametrize("delay", [0.0002, 0.003, 0.02, 0.06, 0.09])
def test_a_keyboard_of_its_own_beside_a_loop_is_heard_and_the_loop_dies_out(delay: float, channel: int | None) -> None:
    played = on(KEYS, [*scale(channel=0), *scale(3.0, channel=0)])
    room = Room(thru(delay, channel=channel)).play(*played).run()
    assert [event for event in room.heard if event[1] == KEYS] == played
    # The first note or two come back before it is known that they do.
    assert sum(messages.is_note_on(m) for _, port, m in room.heard if port == DAW) <= 2
    assert len(room.told) == 1
    assert room.down == set()


def test_what_comes_back_twice_dies_out_too() -> None:
    room = Room(thru(0.01, copies=2)).play(*on(KEYS, scale(channel=0))).answer(*scale(3.0)).run()
    assert [m for s, _, m in room.heard if s > 1] == [m for s, m in scale(channel=0) if s > 1]
    assert room.down == set()


def test_a_note_off_with_another_velocity_or_as_a_note_on_without_is_the_same() -> None:
    def back(seconds: float, message: bytes) -> Iterable[Timed]:
        return [(seconds + 0.01, DAW, note_on(1, message[1], 0) if messages.is_note_off(message) else message)]

    assert Room(back).answer(*scale()).run().music == []


@pytest.mark.parametrize(
    "message",
    [
        control_change(1, 0, 3),
        control_change(1, 32, 7),
        program_change(1, 9),
        b"\xe1\x10\x50",
        b"\xd1\x33",
        b"\xa1\x3c\x22",
        b"\xf0\x7e\x7f\x06\x01\xf7",
    ],
)
def test_other_messages_come_back_unheard_as_well(message: bytes) -> None:
    assert Room(thru(0.02)).answer((0.0, message)).run().music == []
    assert Room(thru(0.02)).play((0.0, KEYS, message)).run().heard == [(0.0, KEYS, message)]


def test_a_pedal_and_a_wheel_in_a_loop_end_where_the_player_left_them() -> None:
    pedal = [(0.1 * n, control_change(0, messages.SUSTAIN, value)) for n, value in enumerate((127, 0, 127, 0))]
    wheel = [(0.005 * n, control_change(0, 1, n)) for n in range(100)]
    bend = [(0.005 * n, bytes((0xE0, 0, min(127, 64 + n)))) for n in range(50)] + [(0.25, b"\xe0\x00\x40")]
    for port, delay in itertools.product((KEYS, DAW), (0.001, 0.02, 0.05)):
        for moved in (pedal, wheel, bend):
            room = Room(thru(delay)).play(*on(port, moved)).run()
            assert room.music == [message for _, message in moved]


def test_a_loop_that_is_switched_on_in_the_middle_is_found_out_within_three_notes() -> None:
    back = thru(0.01)

    def switched(seconds: float, message: bytes) -> Iterable[Timed]:
        return back(seconds, message) if seconds > 5 else []

    room = Room(switched).play(*on(DAW, scale(channel=0))).answer(*scale(2.0)).answer(*scale(6.0)).run()
    assert [m for s, _, m in room.heard if s < 5] == [m for _, m in scale(channel=0)]
    assert sum(messages.is_note_on(m) for s, _, m in room.heard if s > 5) <= 2
    assert len(room.told) == 1
    assert room.down == set()


def test_when_the_loop_is_gone_a_unison_with_the_voice_is_heard_again() -> None:
    back = thru(0.01)

    def switched(seconds: float, message: bytes) -> Iterable[Timed]:
        return back(seconds, message) if seconds < 2 else []

    unison = [(s + 0.012, DAW, m) for s, m in scale(6.0)]
    room = Room(switched, passes_on=False).answer(*scale(), *scale(2.5), *scale(4.2), *scale(6.0)).play(*unison).run()
    assert [event for event in room.heard if event[0] > 6][:4] == unison[:4]


# ---- what a player plays is heard ------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [KEYS, DAW])
def test_repeats_trills_and_chords_at_one_velocity_are_heard_to_the_last_note(port: str) -> None:
    random = Random(5)
    repeated = tones([0.09 * n + random.uniform(0, 0.012) for n in range(40)], length=0.04)
    trill = [e for n in range(40) for e in tones([5 + 0.06 * n], 60 + n % 2, length=0.05)]
    chords = [
        e for n in range(20) for p in (48, 60, 64, 67) for e in tones([9 + 0.13 * n + 0.001 * (p % 3)], p, length=0.1)
    ]
    played = sorted(on(port, [*repeated, *trill, *chords]))
    assert Room().play(*played).run().heard == played


def test_of_a_machine_s_roll_at_one_velocity_nearly_all_is_heard() -> None:
    roll = tones([0.05 * n for n in range(64)], length=0.02)
    heard = Room().play(*on(KEYS, roll)).run().music
    assert len(heard) >= 7 / 8 * len(roll) - 2


def unison(random: Random, *, one_velocity: bool) -> list[Timed]:
    """Two players on keyboards of their own play the same, in time to 20 ms."""
    melody = [e for n in range(60) for e in tones([0.25 * n], 60 + n % 7, velocity=random.randint(40, 110))]
    played = on("one:out", melody)
    for seconds, message in melody:
        if messages.is_note_on(message) and not one_velocity:
            message = message[:2] + bytes((random.randint(40, 110),))
        played.append((max(0.0, seconds + random.gauss(0.0, 0.02)), "two:out", message))
    return sorted(played)


def test_two_players_in_unison_are_both_heard() -> None:
    played = unison(Random(3), one_velocity=False)
    room = Room().play(*played).run()
    assert (room.heard, room.told) == (played, [])


def test_on_keyboards_that_know_no_velocity_a_unison_loses_hardly_a_note() -> None:
    lost = 0
    for seed in range(10):
        played = unison(Random(seed), one_velocity=True)
        room = Room().play(*played).run()
        lost += sum(messages.is_note_on(m) for _, _, m in played) - sum(messages.is_note_on(m) for m in room.music)
        assert room.down == set()
    assert lost <= 10 * 120 / 50


def test_vibrato_and_a_flickering_knob_are_untouched_once_a_few_notes_were_played() -> None:
    notes = tones([0.3, 0.7, 1.1], length=0.2)
    wave = [64, 80, 90, 94, 90, 80, 64, 48, 38, 34, 38, 48]
    bend = [(2 + 0.011 * n, bytes((0xE0, 0, wave[n % len(wave)]))) for n in range(120)]
    flicker = [(4 + 0.005 * n, control_change(0, 7, 63 + n % 2)) for n in range(100)]
    played = on(KEYS, [*notes, *bend, *flicker])
    assert Room().play(*played).run().heard == played


def test_a_unison_with_a_voice_at_one_velocity_is_heard_where_nothing_ever_came_back() -> None:
    voice = [e for n in range(12) for e in tones([1 + 0.25 * n], 60 + n, velocity=100, channel=1)]
    unison = [(s + 0.02 + 0.03 * (n % 3) / 2, KEYS, bytes((m[0] & 0xF0,)) + m[1:]) for n, (s, m) in enumerate(voice)]
    first = on(KEYS, tones([0.1], 48, velocity=90))
    room = Room(passes_on=False).answer(*voice).play(*first, *unison[8:]).run()
    assert room.heard == [*first, *unison[8:]]


def test_a_second_keyboard_that_the_daw_passes_on_is_no_echo() -> None:
    """The first keyboard is heard directly; the DAW sends the second one's notes, and nothing of ours."""
    played = sorted([*on(KEYS, scale(channel=0)), *on(DAW, scale(0.1, channel=0))])
    assert Room().play(*played).run().heard == played


def test_a_port_that_is_gone_holds_nothing_any_more() -> None:
    echoes = Echoes()
    assert not echoes.is_echo(KEYS, note_on(0, 60, 80), 0.0)
    echoes.sent(0, note_on(0, 60, 80), 0.0, own=True)
    echoes.forget(KEYS)
    assert not echoes.is_echo(KEYS, note_on(0, 60, 80), 0.15), "it is plugged in again, and struck"


def test_a_new_connection_makes_it_watchful_again() -> None:
    room = Room().play(*on(DAW, scale(channel=1))).run()
    room.way = thru(0.01)
    room.echoes.forget()
    assert room.answer(*scale(10.0)).run().music == [m for _, m in scale(channel=1)]


# ---- nothing gets stuck, and nothing goes in circles ----------------------------------------------------------------


@st.composite
def performances(draw: st.DrawFn) -> tuple[list[Timed], list[tuple[float, bytes]], Way, bool]:
    """Keys pressed and released on two keyboards, a voice, and a DAW that sends back much, little or nothing."""
    random = draw(st.randoms(use_true_random=False))
    fixed = draw(st.booleans())
    delay = draw(st.sampled_from([0.0, 0.0005, 0.005, 0.02, 0.05, 0.08]))
    jitter = draw(st.sampled_from([0.0, 0.002, 0.01]))
    channel = draw(st.sampled_from([None, 0, 5]))
    copies = draw(st.sampled_from([0, 1, 1, 2]))
    loss = draw(st.sampled_from([0.0, 0.0, 0.3]))
    ports = draw(st.sampled_from([(KEYS,), (DAW,), (KEYS, DAW)]))

    def velocity() -> int:
        return 100 if fixed else random.randint(1, 127)

    def notes(port: str | None, own_channel: int) -> list[tuple[float, bytes]]:
        timed = []
        for pitch in range(60, 63):
            seconds = random.random()
            for _ in range(random.randint(0, 5)):
                length = random.choice([0.001, 0.01, 0.03, 0.1, 0.5])
                timed += [
                    (seconds, note_on(own_channel, pitch, velocity())),
                    (seconds + length, note_off(own_channel, pitch)),
                ]
                seconds += length + random.choice([0.001, 0.01, 0.05, 0.2])
        return timed

    last = [0.0]

    def back(seconds: float, message: bytes) -> Iterable[Timed]:
        if random.random() < loss:
            return []
        # A DAW is late, but it mixes nothing up.
        last[0] = max(last[0], seconds + delay + random.random() * jitter)
        return [(last[0], *rest[1:]) for rest in thru(0.0, DAW, channel, copies)(seconds, message)]

    played = sorted(event for port in ports for event in on(port, notes(port, 0)))
    return played, sorted(notes(None, 1)), back, draw(st.booleans())


@settings(max_examples=100, deadline=None)
@given(performances())
def test_whatever_comes_back_no_key_is_stuck_and_nothing_goes_in_circles(
    performance: tuple[list[Timed], list[tuple[float, bytes]], Way, bool],
) -> None:
    played, answered, way, passes_on = performance
    room = Room(way, passes_on=passes_on).play(*played).answer(*answered)
    lost: list[Timed] = []
    original = room.echoes.is_echo

    def judged(port: str, message: bytes, seconds: float) -> bool:
        echo = original(port, message, seconds)
        if echo and messages.is_note_off(message) and (port, messages.channel(message), message[1]) in room.down:
            lost.append((seconds, port, message))
        return echo

    room.echoes.is_echo = judged  # type: ignore[method-assign]
    room.run(60_000)
    assert lost == [], "the release of a key that is down was left out"
