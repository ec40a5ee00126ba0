"""What came back is left out, what a player plays is not, and nothing gets stuck: on made-up DAWs, late as they are."""

from __future__ import annotations

import heapq
import itertools
import os
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
        self.echoes = Echoes(self.told.append, Random(1))
        self.heard: list[Timed] = []
        self.down: set[tuple[str, int, int]] = set()
        """Keys that who hears all this takes for down, by port, channel and pitch."""
        self._events: list[tuple[float, int, str | None, bytes]] = []
        self.asked: list[bytes] = []
        """Questions, which are no music."""
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
            if self.echoes.doubtful and not (self._events and self._events[0][0] <= seconds):
                for _, asked in self.echoes.questions(seconds):
                    self.asked.append(asked)
                    self.play(*self.way(seconds, asked))
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
        """What was heard, without what came back of questions."""
        return [message for _, _, message in self.heard if message not in self.asked]

    def strikes(self, port: str = DAW, since: float = -1.0) -> int:
        """How many keys were heard to be struck on a port."""
        return sum(messages.is_note_on(m) for seconds, p, m in self.heard if p == port and seconds > since)


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


LEAKS = 4
"""Keys that may be heard until it is proven that they only came back."""


@pytest.mark.parametrize("channel", [None, 0, 1, 9])
@pytest.mark.parametrize("delay", [0.0002, 0.003, 0.02, 0.06, 0.09, 0.2])
def test_a_voice_hears_itself_no_more_once_that_is_proven(delay: float, channel: int | None) -> None:
    room = Room(thru(delay, channel=channel), passes_on=False).answer(*scale(), *scale(2.0)).run()
    assert room.strikes() <= 2
    assert room.strikes(since=1.0) == 0
    assert (len(room.told), room.down) == (1, set())


@pytest.mark.parametrize("channel", [None, 0, 1, 9])
@pytest.mark.parametrize("delay", [0.0002, 0.003, 0.02, 0.06, 0.12])
def test_what_a_player_plays_into_a_loop_is_heard_once(delay: float, channel: int | None) -> None:
    played = on(DAW, scale(channel=0))
    room = Room(thru(delay, channel=channel)).play(*played).run()
    assert room.strikes() <= 8 + LEAKS + (delay > 0.1) * 2
    assert set(played) <= set(room.heard)
    heard = [event for event in room.heard if event[0] >= 1.0]
    assert heard == [event for event in played if event[0] >= 1.0]
    assert (len(room.told), room.down) == (1, set())


@pytest.mark.parametrize("channel", [None, 9])
@pytest.mark.parametrize("delay", [0.0002, 0.003, 0.02, 0.06, 0.09])
def test_a_keyboard_of_its_own_beside_a_loop_is_heard_and_the_loop_dies_out(delay: float, channel: int | None) -> None:
    played = on(KEYS, [*scale(channel=0), *scale(3.0, channel=0)])
    room = Room(thru(delay, channel=channel)).play(*played).run()
    assert [event for event in room.heard if event[1] == KEYS] == played
    assert room.strikes() <= LEAKS
    assert (len(room.told), room.down) == (1, set())


def test_short_notes_that_would_go_in_circles_die_out() -> None:
    """Each is let go before it comes back, as in a roll."""
    for delay in (0.001, 0.02, 0.1):
        room = Room(thru(delay)).play(*on(KEYS, tones([0.0, 1.0], length=delay / 2))).run()
        assert room.strikes() <= LEAKS
        assert room.strikes(since=1.0) == 0


def test_what_comes_back_twice_dies_out_too() -> None:
    def late(seconds: float, message: bytes) -> Iterable[Timed]:
        return [*thru(0.01)(seconds, message), *thru(0.05)(seconds, message)]

    for way in (thru(0.01, copies=2), late, thru(0.02, copies=4)):
        room = Room(way).play(*on(KEYS, scale(channel=0))).answer(*scale(3.0)).run()
        assert [m for s, _, m in room.heard if s > 1] == [m for s, m in scale(channel=0) if s > 1]
        assert room.down == set()


@pytest.mark.parametrize("kept", [messages.NOTE_OFF, messages.PITCH_BEND])
def test_a_program_that_passes_on_only_one_kind_of_question_is_found_out(kept: int) -> None:
    """Some pass on no release of a key that is not down, others thin out bends."""
    down: set[int] = set()

    def picky(seconds: float, message: bytes) -> Iterable[Timed]:
        if messages.is_note_on(message):
            down.add(message[1])
        stray = messages.is_note_off(message) and message[1] not in down
        if kept != messages.NOTE_OFF and stray:
            return []
        if kept != messages.PITCH_BEND and messages.kind(message) == messages.PITCH_BEND:
            return []
        down.discard(message[1] if messages.is_note_off(message) else -1)
        return thru(0.01)(seconds, message)

    room = Room(picky).play(*on(KEYS, scale(channel=0))).answer(*scale(4.0)).run()
    assert room.strikes(since=4.0) == 0
    assert len(room.told) == 1


def test_a_note_off_with_another_velocity_or_as_a_note_on_without_is_the_same() -> None:
    def back(seconds: float, message: bytes) -> Iterable[Timed]:
        return [(seconds + 0.01, DAW, note_on(1, message[1], 0) if messages.is_note_off(message) else message)]

    room = Room(back, passes_on=False).answer(*scale()).run()
    assert (room.strikes(), len(room.told)) == (1, 1)


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
def test_other_messages_come_back_unheard_as_well_and_no_more_circle_alone(message: bytes) -> None:
    known = scale()
    room = Room(thru(0.02)).answer(*known, (3.0, message)).run()
    assert [m for s, _, m in room.heard if s > 2] == []
    played = (3.0, KEYS, message)
    assert [e for e in Room(thru(0.02)).answer(*known).play(played).run().heard if e[0] > 2] == [played]
    room = Room(thru(0.02)).play((0.0, KEYS, message)).run()
    assert 1 <= room.music.count(message) <= 1 + LEAKS


def test_a_pedal_and_a_wheel_in_a_loop_end_where_the_player_left_them() -> None:
    pedal = [(2 + 0.1 * n, control_change(0, messages.SUSTAIN, value)) for n, value in enumerate((127, 0, 127, 0))]
    wheel = [(2 + 0.005 * n, control_change(0, 1, n)) for n in range(100)]
    bend = [(2 + 0.005 * n, bytes((0xE0, 0, min(127, 64 + n)))) for n in range(50)] + [(2.25, b"\xe0\x00\x40")]
    for port, delay in itertools.product((KEYS, DAW), (0.001, 0.02, 0.05)):
        for moved in (pedal, wheel, bend):
            room = Room(thru(delay)).play(*on(port, [*scale(channel=0), *moved])).run()
            assert [m for s, _, m in room.heard if s >= 2] == [message for _, message in moved]


def test_a_loop_that_is_switched_on_in_the_middle_is_found_out() -> None:
    back = thru(0.01)

    def switched(seconds: float, message: bytes) -> Iterable[Timed]:
        return back(seconds, message) if seconds > 5 else []

    room = Room(switched).play(*on(DAW, scale(channel=0))).answer(*scale(2.0)).answer(*scale(6.0)).run()
    assert [m for s, _, m in room.heard if s < 5] == [m for _, m in scale(channel=0)]
    assert room.strikes(since=5) <= LEAKS
    assert (len(room.told), room.down) == (1, set())


def test_when_the_loop_is_gone_a_unison_with_the_voice_is_heard_again() -> None:
    back = thru(0.01)

    def switched(seconds: float, message: bytes) -> Iterable[Timed]:
        return back(seconds, message) if seconds < 2 else []

    unison = [(s + 0.012, DAW, m) for s, m in scale(6.0)]
    room = Room(switched, passes_on=False).answer(*scale(), *scale(2.5), *scale(4.2), *scale(6.0)).play(*unison).run()
    assert [event for event in room.heard if event[0] > 6] == unison


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


def test_a_machine_s_roll_and_pattern_at_one_velocity_are_heard_to_the_last_note() -> None:
    roll = tones([0.05 * n for n in range(200)], length=0.02)
    pattern = [e for n in range(400) for e in tones([20 + 0.06 * n], (60, 64, 67)[n % 3], length=0.05)]
    chords = [e for n in range(200) for p in (60, 64, 67) for e in tones([60 + 0.125 * n], p, length=0.1)]
    played = sorted(on(KEYS, [*roll, *pattern, *chords]))
    room = Room().play(*played).run()
    assert (room.heard, room.told) == (played, [])
    assert 0 < len(room.asked) <= 7 * 85, "what nobody hears is asked now and then, at most once a second"


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


@pytest.mark.parametrize("late", [0.0, 0.004, 0.03])
def test_two_equal_keyboards_that_play_the_same_are_both_heard(late: float) -> None:
    """As one that is plugged in directly, and once more by way of a DAW."""
    melody = unison(Random(3), one_velocity=True)
    one = [event for event in melody if event[1] == "one:out"]
    played = sorted([*one, *((seconds + late, "two:out", message) for seconds, _, message in one)])
    for both in (played, *(unison(Random(seed), one_velocity=True) for seed in range(10))):
        room = Room().play(*both).run()
        assert (room.heard, room.told) == (both, [])


def test_vibrato_and_a_flickering_knob_are_untouched() -> None:
    wave = [64, 80, 90, 94, 90, 80, 64, 48, 38, 34, 38, 48]
    bend = [(2 + 0.011 * n, bytes((0xE0, 0, wave[n % len(wave)]))) for n in range(120)]
    flicker = [(4 + 0.005 * n, control_change(0, 7, 63 + n % 2)) for n in range(100)]
    played = on(KEYS, [*bend, *flicker])
    assert Room().play(*played).run().heard == played


def test_a_unison_with_a_voice_at_one_velocity_is_heard_from_the_first_note_on() -> None:
    voice = [e for n in range(60) for e in tones([1 + 0.25 * n], 60 + n % 12, velocity=100, channel=1)]
    for late in (0.0, 0.02, 0.05):
        unison = [(s + late, KEYS, bytes((m[0] & 0xF0,)) + m[1:]) for s, m in voice]
        room = Room(passes_on=False).answer(*voice).play(*unison).run()
        assert (room.heard, room.told) == (unison, [])


def random_playing(random: Random, count: int) -> tuple[list[Timed], list[tuple[float, bytes]]]:
    """About so many messages of two keyboards, and some of a voice: few keys, few velocities, unisons and bursts."""
    ports = random.choice([(KEYS, DAW), (KEYS,), (DAW, DAW)])
    pitches = range(60, 60 + random.choice([2, 12, 60]))
    velocities = random.choice([(100,), (90, 100), tuple(range(1, 128))])
    gap = random.choice([0.0, 0.0002, 0.002, 0.02, 0.1])
    late = random.choice([0.0, 0.003, 0.02, 0.08])
    seconds, played, voice = 0.0, [], []
    while len(played) < count:
        seconds += random.choice([gap, random.expovariate(1 / gap) if gap else 0.0])
        pitch, velocity = random.choice(pitches), random.choice(velocities)
        message = random.choice([note_on(0, pitch, velocity), note_off(0, pitch), note_on(0, pitch, velocity)])
        if random.random() < 0.05:
            message = random.choice([control_change(0, 64, velocity), b"\xe0\x00\x50", program_change(0, 1)])
        by = random.choice(["one", "both", "voice", "unison"])
        if by in ("voice", "unison"):
            voice.append((seconds, message))
        if by != "voice":
            played.append((seconds + (late if by == "unison" else 0.0), random.choice(ports), message))
        if by == "both":
            played.append((seconds + late, random.choice(ports), message))
    return sorted(played), voice


RANDOM_MESSAGES = int(os.environ.get("ANTIPHON_RANDOM_MESSAGES", "20000"))
"""With 1000000 it takes some minutes."""
randomly_long = pytest.mark.timeout(max(120, RANDOM_MESSAGES // 500))


@randomly_long
def test_of_random_messages_without_a_way_back_none_is_lost() -> None:
    random, count = Random(8), 0
    while count < RANDOM_MESSAGES:
        played, voice = random_playing(random, 2000)
        room = Room(passes_on=random.random() < 0.8).play(*played).answer(*voice).run()
        assert (room.heard, room.told) == (played, [])
        count += len(played)


@randomly_long
def test_of_random_messages_on_a_keyboard_beside_a_loop_none_is_lost_and_the_loop_stays_silent() -> None:
    random = Random(9)
    for _ in range(max(1, RANDOM_MESSAGES // 10_000)):
        notes = [
            (1 + 0.03 * n, message)
            for n in range(1000)
            for message in (random.choice([note_on, note_off])(0, random.randint(60, 72), 100),)
        ]
        room = Room(thru(0.01)).play(*on(KEYS, notes)).run()
        assert [event for event in room.heard if event[1] == KEYS] == on(KEYS, notes)
        assert room.strikes(since=2.0) == 0


def test_a_second_keyboard_that_the_daw_passes_on_is_no_echo() -> None:
    """The first keyboard is heard directly; the DAW sends the second one's notes, and nothing of ours."""
    played = sorted([*on(KEYS, scale(channel=0)), *on(DAW, scale(0.1, channel=0))])
    assert Room().play(*played).run().heard == played


def test_a_port_that_is_gone_holds_nothing_any_more() -> None:
    room = Room(thru(0.01), passes_on=False).answer(*scale()).run()
    echoes = room.echoes
    assert not echoes.is_echo(DAW, note_on(0, 60, 80), 5.0)
    echoes.sent(0, note_off(1, 60), 5.1, own=False)
    echoes.forget(DAW)
    assert echoes.is_echo(DAW, note_off(0, 60), 5.11), "it is not down any more"


def test_when_something_is_plugged_in_elsewhere_a_loop_stays_known_and_one_note_tells_if_it_is_gone() -> None:
    for gone in (False, True):
        room = Room(thru(0.01), passes_on=False).answer(*scale()).run()
        room.way = no_way if gone else room.way
        room.echoes.forget()
        unison = [(s + 0.012, DAW, m) for s, m in tones([11.0], 62, channel=1)] if gone else []
        room.answer(*tones([10.0], 60, channel=1), *tones([11.0], 62, channel=1)).play(*unison).run()
        assert [event for event in room.heard if event[0] > 9] == unison


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
