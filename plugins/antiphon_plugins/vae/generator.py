"""The interpolator: keeps the contract of a generator over a model of piano rolls. It knows neither files nor ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from antiphon import STEP_TICKS, Morph, Note, Phrase, Request, score_order
from antiphon.rolls import RollModel, notes_of
from antiphon_plugins.vae.ends import Drawn, End, Played, last_played
from antiphon_plugins.vae.feel import Feel
from antiphon_plugins.vae.likelihood import threshold_of
from antiphon_plugins.vae.travel import Purpose, between, noise, position

DIRECTIONS: Final = ("density", "register", "loudness")
"""Controls that move the code along a direction of the same name in the model's card."""
_ENDS_KEPT: Final = 6
"""Ends whose codes are kept: two, and those of guesses."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of the answer that is decoded at once: a bar, or what of a longer one fits into a window."""

    start_ticks: int
    window_step: int
    """Where its window begins, in steps since the answer began."""
    step: int
    """Where it begins in its window."""
    steps: int


class Interpolator:
    """One player. What it plays is a function of the seed, of what was last primed, and of each request alone."""

    def __init__(self, seed: int, model: RollModel) -> None:
        self._seed = seed
        self._model = model
        self._heard = Phrase(0, 0)
        self._ends: dict[tuple[Phrase, int], Played] = {}

    @property
    def runs_on(self) -> str:
        """What really computes its model, for a person to read."""
        return self._model.runs_on

    def prime(self, heard: Phrase) -> None:
        """Keep what was heard; it is looked at when it is needed."""
        self._heard = heard

    def rewind(self, to_ticks: int) -> None:
        """Forget what was heard at or after `to_ticks`; of what was played, nothing is kept."""
        heard = self._heard
        if to_ticks < heard.end_ticks:
            notes = tuple(note for note in heard.notes if note.start_ticks < to_ticks)
            self._heard = Phrase(min(heard.start_ticks, to_ticks), to_ticks, notes)

    def extend(self, request: Request) -> Phrase:
        """Decode every bar that the request touches, from a code on the way from A to B."""
        bar_steps = max(1, request.bar_ticks // STEP_TICKS)
        a, b = self._ends_of(request, bar_steps)
        notes: list[Note] = []
        for part in self._parts(request, bar_steps):
            notes += self._decoded(part, request, a, b)
        return Phrase(request.start_ticks, request.end_ticks, tuple(sorted(notes, key=score_order)))

    # ---- where to and from ---------------------------------------------------------------------------------------

    @property
    def _origin_ticks(self) -> int:
        """Where the answer begins, and with it the loops of both ends."""
        return self._heard.end_ticks

    def _ends_of(self, request: Request, bar_steps: int) -> tuple[End, End]:
        if isinstance(request.given, Morph):
            return self._end(request.given.a, bar_steps, "a"), self._end(request.given.b, bar_steps, "b")
        # Variations of what was heard: the way from it to itself, and what lies beside that.
        end = self._end(last_played(self._heard, request.bar_ticks), bar_steps, "a")
        return end, end

    def _end(self, phrase: Phrase | None, bar_steps: int, name: Purpose) -> End:
        if phrase is None:
            return Drawn(noise(self._model.card.latent, self._seed, self._origin_ticks, name), self._model)
        key = (phrase, bar_steps)
        end = self._ends.pop(key, None) or Played(phrase, bar_steps, self._model)
        self._ends[key] = end  # The last one used is the last to be forgotten.
        while len(self._ends) > _ENDS_KEPT:
            del self._ends[next(iter(self._ends))]
        return end

    def _parts(self, request: Request, bar_steps: int) -> Iterator[_Stretch]:
        steps = self._model.card.steps
        # A bar longer than a window is cut into equal parts, as few as there can be.
        part_steps = next(size for size in range(min(steps, bar_steps), 0, -1) if bar_steps % size == 0)
        part_ticks = part_steps * STEP_TICKS
        in_window = steps // part_steps
        first, last = (
            (ticks - self._origin_ticks) // part_ticks for ticks in (request.start_ticks, request.end_ticks - 1)
        )
        for number in range(first, last + 1):
            window, place = divmod(number, in_window)
            yield _Stretch(
                self._origin_ticks + number * part_ticks,
                window * in_window * part_steps,
                place * part_steps,
                part_steps,
            )

    # ---- one part ------------------------------------------------------------------------------------------------

    def _decoded(self, part: _Stretch, request: Request, a: End, b: End) -> Iterator[Note]:
        """The notes of `part` that belong to `request`."""
        controls = request.controls
        bars = (part.start_ticks - self._origin_ticks) / request.bar_ticks
        here = position(controls, self._seed, self._origin_ticks, bars)
        code = between(a.code(part.window_step), b.code(part.window_step), here)
        window_ticks = part.start_ticks - part.step * STEP_TICKS
        if stray := controls.get("stray", 0.0):
            code = between(code, noise(len(code), self._seed, window_ticks, "stray"), stray)
        roll = self._model.decode(code)
        # As many notes as lie between those of the ends: half-way there would be a crowd.
        wanted = (1 - here) * a.notes(part.window_step) + here * b.notes(part.window_step)
        threshold = threshold_of(roll, wanted)
        if moved := [(name, amount) for name in DIRECTIONS if (amount := controls.get(name, 0.0))]:
            roll = self._model.decode(code + sum(amount * self._model.direction(name) for name, amount in moved))
        notes = notes_of(roll, window_ticks, threshold=threshold)
        feel = Feel.between(a.feel, b.feel, here)
        played = notes if feel is None else feel.applied(notes, self._origin_ticks, controls.get("human", 1.0))
        end_ticks = min(part.start_ticks + part.steps * STEP_TICKS, request.end_ticks)
        for note, felt in zip(notes, played, strict=True):
            # A note that is played ahead of its beat still belongs to the phrase that the beat is in.
            if max(part.start_ticks, request.start_ticks) <= note.start_ticks < end_ticks:
                start = min(max(felt.start_ticks, request.start_ticks), request.end_ticks - 1)
                yield replace(felt, start_ticks=start)
