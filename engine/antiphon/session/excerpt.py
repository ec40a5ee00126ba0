"""What of a track belongs to a take, at the song's ticks: nothing is left sounding or unset at its edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from antiphon.music import messages
from antiphon.music.messages import Key, depth, key_of, release_of
from antiphon.music.midi_file import Track
from antiphon.music.timing import Timeline
from antiphon.session.takes import Take

_EARLY_SECONDS: Final = 0.1
"""A key that is down when the song starts, and went down no earlier, was meant for its first beat."""
_LATE_SECONDS: Final = 0.05
"""The same where the song is put elsewhere while it runs: that is known so late at most."""


def excerpt(track: Track, take: Take, timeline: Timeline) -> Iterator[tuple[int, bytes]]:
    """The messages of `track` that belong to `take`, at the song's ticks. `timeline`: the session's."""
    before = [event for event in track.messages if event[0] < take.start_ticks]
    since = _early(take.start_ticks, timeline, _LATE_SECONDS if take.goes_on else _EARLY_SECONDS)
    events = [(take.start_ticks, message) for message in _set_by(message for _, message in before)]
    events += [(take.start_ticks, message) for _, message in _held(before, since)]
    opening = len(events)
    events += [event for event in track.messages if take.start_ticks <= event[0] < take.end_ticks]
    after = set(_held(events, _early(take.end_ticks, timeline, _LATE_SECONDS))) if take.gone_on else ()
    down: dict[Key, int] = {}
    now = take.begin_ticks
    for number, event in enumerate(events):
        if event in after:
            continue
        (ticks, message), key = event, key_of(event[1])
        if number >= opening:
            now = max(now, take.song_ticks(ticks))
        if key is not None and not depth(message):
            if key not in down:
                continue  # It went down before the take.
            now = max(now, down.pop(key) + 1)
        elif key is not None:
            down[key] = now
        yield now, message
    for key, pressed in down.items():
        yield max(now, take.song_ticks(take.end_ticks), pressed + 1), release_of(key)


def _early(ticks: int, timeline: Timeline, seconds: float) -> int:
    return timeline.ticks_at(max(0.0, timeline.seconds_at(ticks) - seconds))


def _set_by(before: Iterable[bytes]) -> list[bytes]:
    """What all these messages leave set: the last program, bend and value of each controller, in order."""
    last: dict[bytes, bytes] = {}
    for message in before:
        kind = messages.kind(message)
        if kind in (messages.PROGRAM_CHANGE, messages.CHANNEL_AFTERTOUCH, messages.PITCH_BEND):
            name = message[:1]
        elif kind == messages.CONTROL_CHANGE and message[1] < messages.ALL_SOUND_OFF:
            name = message[:2]
        else:
            continue
        last.pop(name, None)
        last[name] = message
    return list(last.values())


def _held(events: Iterable[tuple[int, bytes]], since_ticks: int) -> list[tuple[int, bytes]]:
    """The note-ons from `since_ticks` on whose keys are down after all these events."""
    held: dict[Key, tuple[int, bytes]] = {}
    for ticks, message in events:
        key = key_of(message)
        if key is not None and messages.is_note_off(message):
            held.pop(key, None)
        elif key is not None and messages.is_note_on(message):
            held[key] = (ticks, message)
    return [event for event in held.values() if event[0] >= since_ticks]
