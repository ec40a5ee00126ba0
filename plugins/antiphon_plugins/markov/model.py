"""The variable-order Markov model: it remembers a row of events and says what followed wherever it heard the like.

No counts are kept but the music itself and an index of where each event occurs. So learning is appending, unlearning
is popping, and after both the memory is exactly what it was.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from antiphon_plugins.markov.events import Event

MAX_ORDER = 8
"""Longest context that is told apart, in events."""

VIEWS = 3
"""Levels of detail: see `Event.views`."""

_NEGLIGIBLE = 0.02
"""Chance below which shorter contexts are not asked any more."""

_RECENT = 32
"""Only so many latest occurrences of an event are considered: the present manner counts, and the time is bounded."""

Match = dict[int, int]
"""Where in memory the present context occurs: index of its last event, and how many events agree, counted back."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One way on, as it was once heard."""

    place: int
    """Index in memory of the event to play next."""
    shift: int
    """Semitones by which it must be moved to fit where we are."""
    share: float
    """Its probability; all shares sum to less than 1, the rest is the chance of something never heard."""


class Memory:
    """All events heard, in order, and where to find each one again."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._places: tuple[dict[Hashable, list[int]], ...] = tuple({} for _ in range(VIEWS))

    def learn(self, event: Event) -> None:
        """Append one event."""
        for view, places in zip(event.views, self._places, strict=True):
            places.setdefault(view, []).append(len(self.events))
        self.events.append(event)

    def unlearn(self) -> None:
        """Take back the last event, leaving no trace."""
        event = self.events.pop()
        for view, places in zip(event.views, self._places, strict=True):
            found = places[view]
            found.pop()
            if not found:
                del places[view]

    def recall(self, context: Sequence[Event]) -> tuple[Match, ...]:
        """Where `context` (its last `MAX_ORDER` events count) occurs in memory, in each view."""
        matches: tuple[Match, ...] = ({},) * VIEWS
        for event in context[-MAX_ORDER:]:
            matches = self.follow(matches, event)
        return matches

    def follow(self, matches: tuple[Match, ...], event: Event) -> tuple[Match, ...]:
        """The matches of a context after `event` is added to it: those that go on grow, the others start anew."""
        return tuple(
            {place: min(MAX_ORDER, match.get(place - 1, 0) + 1) for place in places.get(view, ())[-_RECENT:]}
            for match, view, places in zip(matches, event.views, self._places, strict=True)
        )

    def predict(self, matches: tuple[Match, ...], lead: int, order: int) -> list[Prediction]:
        """What may come next, by the longest context first, backing off to shorter and less detailed ones.

        Each level gives up part of its chance to those below, the more so the more its continuations differ:
        d / (n + d) for n continuations of which d are distinct; what a longer context has said, a shorter
        one does not say again (PPM, method C, with exclusion: Moffat 1990). Here n counts (length + 1) / 2 times:
        eight events that agree are no coincidence, even if it happened once.

        `lead` is the highest pitch of the present event, `order` the longest context used, 1 to `MAX_ORDER`.
        """
        # For each place, the longest context that it shares, and the most detailed view of that (0; -1, -2: coarser).
        best: dict[int, tuple[int, int]] = {}
        for view, match in enumerate(matches):
            for place, length in match.items():
                best[place] = max(best.get(place, (0, -VIEWS)), (min(length, order), -view))
        best.pop(len(self.events) - 1, None)  # Nothing has followed the last event yet.
        levels: dict[tuple[int, int], list[int]] = {}
        for place, level in best.items():
            levels.setdefault(level, []).append(place)

        predictions: list[Prediction] = []
        said: set[Hashable] = set()
        remaining = 1.0
        for level in sorted(levels, reverse=True):
            heard: dict[Hashable, list[int]] = {}
            for place in levels[level]:
                successor = self.events[place + 1]
                shift = lead - self.events[place].lead
                what = (shift, successor.pitches, successor.gap_class)
                if what not in said:
                    heard.setdefault(what, []).append(place)
            if not heard:
                continue
            said.update(heard)
            evidence = sum(map(len, heard.values())) * (level[0] + 1) / 2
            share = remaining * evidence / (evidence + len(heard))
            remaining -= share
            # The square root damps habit: heard four times is twice as likely, not four times. The host also lets us
            # hear our own answers; without damping, whatever we happened to play would soon be all we play.
            weights = [len(places) ** 0.5 for places in heard.values()]
            for places, weight in zip(heard.values(), weights, strict=True):
                place = max(places)
                shift = lead - self.events[place].lead
                predictions.append(Prediction(place + 1, shift, share * weight / sum(weights)))
            if remaining < _NEGLIGIBLE:
                break
        return predictions
