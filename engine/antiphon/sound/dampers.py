"""Which keys of one channel still ring, under the hands and the pedals."""

from __future__ import annotations


class Dampers:
    """The dampers of one channel. Whatever lets keys fall silent returns their pitches, lowest first."""

    def __init__(self) -> None:
        self._down: set[int] = set()
        self._ringing: set[int] = set()
        self._captured: set[int] = set()
        self._sustain = False
        self._sostenuto = False

    def press(self, pitch: int) -> None:
        """A key goes down: `pitch` rings."""
        self._down.add(pitch)
        self._ringing.add(pitch)

    def lift(self, pitch: int) -> list[int]:
        """A key comes up; it rings on while a pedal holds it."""
        self._down.discard(pitch)
        return self._fall()

    def lift_all(self) -> list[int]:
        """All keys come up (controller 123); the pedals still hold what they hold."""
        self._down.clear()
        return self._fall()

    def sustain(self, pressed: bool) -> list[int]:
        """The right pedal: while it is down no damper falls."""
        self._sustain = pressed
        return self._fall()

    def sostenuto(self, pressed: bool) -> list[int]:
        """The middle pedal: it holds the keys that are down at the moment it is pressed, and no others."""
        if pressed and not self._sostenuto:
            self._captured = set(self._down)
        elif not pressed:
            self._captured = set()
        self._sostenuto = pressed
        return self._fall()

    def free(self) -> list[int]:
        """Both pedals come up (controller 121)."""
        self._sustain = self._sostenuto = False
        self._captured.clear()
        return self._fall()

    def silence(self) -> None:
        """Nothing rings any longer, whatever is held (controller 120); the pedals stay where they are."""
        self._down.clear()
        self._ringing.clear()
        self._captured.clear()

    def _fall(self) -> list[int]:
        if self._sustain:
            return []
        fallen = self._ringing - self._down - self._captured
        self._ringing -= fallen
        return sorted(fallen)
