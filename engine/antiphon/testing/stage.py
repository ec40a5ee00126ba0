"""A stage for one generator: a whole performance, by hand, under a clock that is turned by hand. It opens no port.

What plays is the host itself: its duet, its schedule, its stand-in. Only the players' processes are left out, so that
every phrase is there as soon as it is asked for, whatever the machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from antiphon.duet.casting import PlayerNeeded
from antiphon.duet.commands import Decision
from antiphon.duet.offline import MakePlayer, Offline
from antiphon.duet.plan import Plan
from antiphon.duet.player import Player
from antiphon.duet.routing import output_names
from antiphon.duet.schedule import Send
from antiphon.generator import GeneratorInfo, MakeGenerator
from antiphon.music import messages
from antiphon.music.clock import ManualClock
from antiphon.notes import Note, Phrase, score_order
from antiphon.plugins.host import check_info, load_plugins
from antiphon.plugins.making import make_player
from antiphon.presets.reading import load_preset
from antiphon.testing.recording import RecordingOutput


class Stage:
    """A performance with a generator that need not be installed; the keyboard is yours, on channel 1."""

    def __init__(self, make: MakeGenerator, info: GeneratorInfo, preset: str | Path = "") -> None:
        """`preset`: the text of one, or its file; if empty, a voice of the generator with all defaults.

        Raises:
            ValueError: the declaration is invalid.
            AntiphonError: the preset has mistakes; or the generator cannot be made.
        """
        self._make = make
        self._info = check_info(info)
        plan = self._plan(preset or f'[[voice]]\ngenerator = "{info.name}"\n')
        self.clock = ManualClock()
        self.outputs: Mapping[str, RecordingOutput] = {
            name: RecordingOutput(name, self.clock) for name in output_names([plan])
        }
        """What each output was sent, by the name in the preset."""
        self._offline = _Recorded(plan, self._player, tuple(self.outputs.values()))
        self._offline.begin()

    # ---- the musician --------------------------------------------------------------------------------------------

    def press(self, pitch: int, velocity: int = 80) -> None:
        """A key goes down now."""
        self._hear(messages.note_on(0, pitch, velocity))

    def release(self, pitch: int) -> None:
        """A key comes up now."""
        self._hear(messages.note_off(0, pitch))

    def turn(self, controller: int, value: int) -> None:
        """A knob, wheel or pedal says `value`, 0 to 127, now; 64 is the sustain pedal, 66 the sostenuto."""
        self._hear(messages.control_change(0, controller, value))

    def play(self, phrase: Phrase) -> None:
        """Play `phrase` from now on, until its end; a note that rings beyond, or is held, is released there."""
        begin_ticks = self.now_ticks
        events = []
        for note in phrase.shifted(begin_ticks - phrase.start_ticks).notes:
            note = note.clipped(begin_ticks + phrase.length_ticks)
            events.append((note.start_ticks, 1, messages.note_on(0, note.pitch, note.velocity)))
            events.append((note.start_ticks + (note.length_ticks or 1), 0, messages.note_off(0, note.pitch)))
        for ticks, _, message in sorted(events):
            self._wait_until(ticks)
            self._hear(message)
        self._wait_until(begin_ticks + phrase.length_ticks)

    def wait(self, seconds: float) -> None:
        """Let time pass, and whatever is due happen."""
        self.clock.advance(seconds)
        self._offline.advance(self.now_ticks)

    def end(self) -> None:
        """Stop: whatever sounds is ended."""
        self._offline.end(self.now_ticks)

    # ---- what came of it -----------------------------------------------------------------------------------------

    @property
    def now_ticks(self) -> int:
        """Musical time, in ticks from the start of the performance."""
        return self._offline.duet.timeline.ticks_at(self.clock.now())

    def notes(self, voice: int = 1) -> tuple[Note, ...]:
        """What a voice has played, in score order, with the pitch and velocity that went out; voices count from 1.

        A note that sounds still has no length. Of several outputs that hear the same, it is there once.
        """
        return tuple(sorted(_notes(self._offline.sends, voice - 1), key=score_order))

    @property
    def decisions(self) -> tuple[str, ...]:
        """What the host decided, in order, as in `handover: by silence`."""
        return tuple(f"{each.kind}: {each.text}" for each in self._decisions())

    @property
    def trouble(self) -> tuple[str, ...]:
        """Why somebody had to stand in, or nobody could; empty if all went well."""
        return tuple(each.text for each in self._decisions() if each.kind in ("fallback", "silent", "late"))

    # ---- behind it -----------------------------------------------------------------------------------------------

    def _decisions(self) -> Iterator[Decision]:
        return (record for record in self._offline.record_of if isinstance(record, Decision))

    def _hear(self, message: bytes) -> None:
        self._offline.hear(message, self.now_ticks)

    def _wait_until(self, ticks: int) -> None:
        self.clock.advance_to(max(self.clock.now(), self._offline.duet.timeline.seconds_at(ticks)))
        self._offline.advance(ticks)

    def _plan(self, preset: str | Path) -> Plan:
        infos = {name: registered.info for name, registered in load_plugins().generators.items()}
        infos[self._info.name] = self._info
        if isinstance(preset, Path):
            return load_preset(preset, infos)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "preset.toml"
            path.write_text(preset, encoding="utf-8")
            return load_preset(path, infos)

    def _player(self, needed: PlayerNeeded) -> Player:
        if needed.generator != self._info.name:
            return make_player(needed)
        return Player(self._info, self._make(needed.casting))


class _Recorded(Offline):
    """A performance whose messages go to outputs that remember them."""

    def __init__(self, plan: Plan, make: MakePlayer, outputs: tuple[RecordingOutput, ...]) -> None:
        self._outputs = outputs
        super().__init__([plan], make)

    def send(self, send: Send) -> None:
        """Keep the message, due at its tick."""
        super().send(send)
        self._outputs[send.output].send(send.message, self.duet.timeline.seconds_at(send.due_ticks))


def _notes(sends: list[Send], source: int) -> list[Note]:
    notes: list[Note] = []
    heard_on: dict[int, int] = {}
    down: dict[tuple[int, int], int] = {}
    for send in sends:
        if send.source != source or heard_on.setdefault(send.part, send.output) != send.output:
            continue
        key = (messages.channel(send.message), send.message[1])
        if messages.is_note_on(send.message):
            down[key] = len(notes)
            notes.append(Note(send.due_ticks, send.message[1], None, send.message[2], part=send.part))
        elif messages.is_note_off(send.message):
            index = down.pop(key)
            notes[index] = replace(notes[index], length_ticks=max(1, send.due_ticks - notes[index].start_ticks))
    return notes
