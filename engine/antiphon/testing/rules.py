"""The rules of a generator, one function each; they raise `BrokenRule`. Time is not among them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from antiphon.generator import Constraint, Constraints, Gap, Given, Morph, Request
from antiphon.notes import Note, Phrase
from antiphon.testing.phrases import BAR_TICKS, before_a_rest, closed, long_phrase, streamed
from antiphon.testing.trial import Scene

_C_MAJOR: Final = frozenset({0, 2, 4, 5, 7, 9, 11})


def check_legal(scene: Scene) -> None:
    """Phrases start where the last ended, span what was asked, and hold legal notes; whatever is asked."""
    player = scene.player("phrases are legal")
    player.prime(scene.heard)
    phrase = scene.heard
    for length_ticks in (1, 1919, 16 * BAR_TICKS, 480):
        phrase = player.extend(scene.request(phrase, length_ticks))
    phrase = player.extend(replace(scene.request(phrase), bar_ticks=1440, final=True))
    player.rewind(0)
    player.extend(Request(0, BAR_TICKS, scene.trial.info.resolve_controls({})))


def check_seeded(scene: Scene) -> None:
    """The seed decides, and one instance does not disturb another."""
    rule = "the seed decides, and instances share nothing"
    alone = scene.player(rule)
    alone.prime(scene.heard)
    first = alone.extend(scene.request())
    second = alone.extend(scene.request(first))
    player, other = scene.player(rule), scene.player(rule, scene.seed + 1000)
    player.prime(scene.heard)
    other.prime(long_phrase(24))
    other.extend(scene.request(long_phrase(24)))
    _compare(scene, rule, "beside another instance, the first phrase", first, player.extend(scene.request()))
    other.prime(scene.heard)
    scene.trial.seeds_differ |= other.extend(scene.request()) != first
    _compare(scene, rule, "beside another instance, the next phrase", second, player.extend(scene.request(first)))


def check_streamed(scene: Scene) -> None:
    """What was told note by note is known as though told at once, and what is no longer told is forgotten."""
    rule = "streamed equals whole"
    whole, piecewise = scene.player(rule), scene.player(rule)
    whole.prime(scene.heard)
    expected = whole.extend(scene.request())
    for index, part in enumerate(streamed(scene.heard)):
        # A long phrase is told in strides: every length of prefix is met by the short ones.
        if len(part.notes) < 128 or index % 199 == 0 or part is scene.heard:
            piecewise.prime(part)
    _compare(scene, rule, "primed note by note, the phrase", expected, piecewise.extend(scene.request()))
    shorter = replace(scene.heard, notes=scene.heard.notes[len(scene.heard.notes) // 4 :])
    fresh, forgetful = scene.player(rule), scene.player(rule)
    fresh.prime(shorter)
    expected = fresh.extend(scene.request())
    forgetful.prime(scene.heard)
    forgetful.prime(shorter)
    what = "primed with all, then without the first quarter of the notes, the phrase"
    _compare(scene, rule, what, expected, forgetful.extend(scene.request()))


def check_rewind(scene: Scene) -> None:
    """Rewind, then extend, repeats exactly; also from the middle of what was heard."""
    rule = "rewind then extend repeats exactly"
    player = scene.player(rule)
    player.prime(scene.heard)
    first = player.extend(scene.request())
    second = player.extend(scene.request(first))
    player.rewind(first.end_ticks)
    _compare(scene, rule, "rewound by a phrase, it", second, player.extend(scene.request(first)))
    player.rewind(scene.heard.end_ticks)
    _compare(scene, rule, "rewound to what was heard, it", first, player.extend(scene.request()))
    _compare(scene, rule, "the phrase after that", second, player.extend(scene.request(first)))
    if (cut := before_a_rest(scene.heard)) is None:
        return
    fresh = scene.player(rule)
    fresh.prime(cut)
    player.rewind(cut.end_ticks)
    expected, got = (each.extend(scene.request(cut)) for each in (fresh, player))
    _compare(scene, rule, f"rewound to tick {cut.end_ticks} of what was heard, it", expected, got)
    player.rewind(cut.end_ticks)
    player.prime(scene.heard)
    _compare(scene, rule, "rewound and primed again, it", first, player.extend(scene.request()))


def check_guesses(scene: Scene) -> None:
    """A guess that is thrown away leaves no trace."""
    rule = "a guess thrown away leaves no trace"
    fresh, player = scene.player(rule), scene.player(rule)
    fresh.prime(scene.heard)
    expected = fresh.extend(scene.request())
    for part in deque(streamed(scene.heard), maxlen=4):
        player.prime(part)
        player.extend(scene.request(player.extend(scene.request(part, 700))))
    player.prime(scene.heard)
    _compare(scene, rule, "after guesses, the phrase", expected, player.extend(scene.request()))
    player.extend(scene.request(expected, 5 * BAR_TICKS))
    player.prime(scene.heard)
    _compare(scene, rule, "primed again with the same, the phrase", expected, player.extend(scene.request()))


def check_controls(scene: Scene) -> None:
    """Every declared control is taken at its extremes."""
    default = scene.player("controls work at their extremes")
    default.prime(scene.heard)
    expected = default.extend(scene.request(length_ticks=2 * BAR_TICKS))
    for control in scene.trial.info.controls:
        for value in control.extremes:
            player = scene.player("controls work at their extremes")
            player.prime(scene.heard)
            request = scene.request(length_ticks=2 * BAR_TICKS)
            if player.extend(replace(request, controls={**request.controls, control.name: value})) != expected:
                scene.trial.moved.add(control.name)


def check_constraints(scene: Scene) -> None:
    """What a generator says it honours, it honours; what it does not, it survives."""
    rule = "constraints it claims are kept"
    for constraints in (
        Constraints(low_pitch=60, high_pitch=71),
        Constraints(low_pitch=100, high_pitch=100),
        Constraints(scale=_C_MAJOR),
        Constraints(scale=frozenset({1})),
        Constraints(polyphony=1),
        Constraints(polyphony=2),
        Constraints(low_pitch=40, high_pitch=64, scale=frozenset({1, 3, 6, 8, 10}), polyphony=1),
    ):
        player = scene.player(rule)
        player.prime(scene.heard)
        first = player.extend(replace(scene.request(), constraints=constraints))
        second = player.extend(replace(scene.request(first), constraints=constraints))
        for constraint in sorted(scene.trial.info.honours):
            if what := _violation((*first.notes, *second.notes), constraints, constraint):
                raise scene.broken(rule, f"it says it honours {constraint!r}, but {what}")


def check_morph(scene: Scene) -> None:
    """Between two pieces of music, either of which may be its own to make up, it plays legally and repeatably."""
    if not scene.trial.info.interpolates:
        return
    a, b = (replace(long_phrase(length), end_ticks=BAR_TICKS) for length in (8, 12))
    for given in (Morph(a, b), Morph(a, None), Morph(None, b), Morph(None, None)):
        _check_repeats(scene, "it plays between two pieces of music", closed(scene.heard), given)


def check_gap(scene: Scene) -> None:
    """In a gap it plays legally and repeatably; whether what comes after makes a difference, the trial keeps."""
    if not scene.trial.info.fills:
        return
    before = closed(scene.heard)
    end_ticks = before.end_ticks + 2 * BAR_TICKS
    answers = []
    for semitones, length in ((0, 16), (7, 5)):
        notes = (replace(note, pitch=note.pitch + semitones) for note in long_phrase(length).notes)
        after = Phrase.of(notes, 0).shifted(end_ticks)
        answers.append(_check_repeats(scene, "it fills a gap", before, Gap(before, after)))
    _check_repeats(scene, "it fills a gap", before, Gap(before, Phrase(end_ticks, end_ticks)))
    scene.trial.hears_after |= answers[0] != answers[1]


def _check_repeats(scene: Scene, rule: str, heard: Phrase, given: Given) -> tuple[Phrase, Phrase]:
    """Two bars after `heard`, a bar at a time and in one, the same again when rewound; the phrases of a bar."""
    player = scene.player(rule)
    player.prime(heard)
    asked = replace(scene.request(heard), given=given, left_ticks=2 * BAR_TICKS)
    first = player.extend(asked)
    asked_next = replace(scene.request(first), given=given, left_ticks=BAR_TICKS, final=True)
    second = player.extend(asked_next)
    player.rewind(heard.end_ticks)
    _compare(scene, rule, "rewound, the first bar", first, player.extend(asked))
    _compare(scene, rule, "rewound, the second bar", second, player.extend(asked_next))
    player.rewind(heard.end_ticks)
    player.extend(replace(asked, length_ticks=2 * BAR_TICKS, final=True))
    return first, second


def _compare(scene: Scene, rule: str, what: str, expected: Phrase, got: Phrase) -> None:
    for index, (one, other) in enumerate(zip_longest(expected.notes, got.notes)):
        if one != other:
            raise scene.broken(
                rule, f"{what} differs: notes[{index}] is {other or 'missing'}, should be {one or 'nothing'}"
            )


def _violation(notes: Sequence[Note], constraints: Constraints, constraint: Constraint) -> str | None:
    """How `notes` break `constraint`, or None."""
    low, high, scale = constraints.low_pitch, constraints.high_pitch, constraints.scale
    for note in notes:
        if constraint == "range" and not low <= note.pitch <= high:
            return f"plays pitch {note.pitch} where {low} to {high} is allowed"
        if constraint == "scale" and scale is not None and note.pitch % 12 not in scale:
            return f"plays pitch {note.pitch} where the pitch classes {sorted(scale)} are allowed"
        if constraint == "polyphony":
            here = note.start_ticks
            sounding = sum(n.start_ticks <= here and (n.length_ticks or 0) > here - n.start_ticks for n in notes)
            if sounding > constraints.polyphony:
                return f"sounds {sounding} notes at tick {here} where {constraints.polyphony} may sound"
    return None
