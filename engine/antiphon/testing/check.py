"""`check_generator`: all rules over all phrases, then the clock. What a rule says is in `rules`."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from antiphon.generator import LIMITS, SILENT_SECONDS, GeneratorInfo, MakeGenerator
from antiphon.notes import Phrase
from antiphon.plugins.host import check_info
from antiphon.testing import rules
from antiphon.testing.phrases import long_phrase, sample_phrases, streamed
from antiphon.testing.trial import BrokenRule, Scene, Trial

_BARS_TIMED: Final = 24


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen of a generator that keeps the rules; `print` it."""

    rules: tuple[str, ...]
    """Rules that were checked."""
    notes: int
    """Notes it played meanwhile."""
    extend_seconds: tuple[float, float, float]
    """Seconds to make a bar: p50, p95 and the longest of 24."""
    silent_seconds: float
    """The longest time within a call, while it made these bars, without a beat."""
    prime_seconds: float
    """Median seconds to take in one key press or release after the longest phrase."""
    prime_growth: float
    """The same, as a multiple of the time after 64 notes; near 1 when listening is incremental."""
    idle_controls: tuple[str, ...]
    """Controls whose lowest and highest value gave the same notes as the default."""
    silent_parts: tuple[str, ...]
    """Parts that played no note meanwhile."""
    seeds_differ: bool
    """Whether another seed gave other notes."""

    def __str__(self) -> str:
        p50, p95, longest = (f"{seconds * 1e3:.2f}" for seconds in self.extend_seconds)
        return (
            f"{len(self.rules)} rules kept over {self.notes} notes; a bar takes {p50} ms (p50), {p95} (p95), "
            f"{longest} (longest); an event {self.prime_seconds * 1e3:.3f} ms, {self.prime_growth:.1f} times that "
            f"after 64 notes; idle controls: {', '.join(self.idle_controls) or 'none'}; "
            f"silent parts: {', '.join(self.silent_parts) or 'none'}; "
            f"seeds {'differ' if self.seeds_differ else 'make no difference'}"
        )


def check_generator(
    make: MakeGenerator,
    info: GeneratorInfo,
    *,
    model: str | None = None,
    seeds: Sequence[int] = (0, 1),
    phrases: Mapping[str, Phrase] | None = None,
    deadline_seconds: float | None = None,
    allowance: float = 4.0,
) -> Report:
    """Check that what `make` makes keeps every rule of the contract.

    Args:
        model: what a preset would name as `model`.
        seeds: seeds to try, at least two.
        phrases: heard phrases to try, by name; `sample_phrases()` unless given.
        deadline_seconds: longest that a bar may take (p95); unless given, the limit of its latency class times
            `allowance`, which is there for test machines slower than the stage's.

    Raises:
        BrokenRule: naming the first rule that is broken.
    """
    try:
        check_info(info)
    except ValueError as error:
        raise BrokenRule("the declaration is valid", str(error)) from error
    trial = Trial(make, info, model, tuple(seeds))
    for name, heard in (sample_phrases() if phrases is None else phrases).items():
        for seed in trial.seeds:
            scene = Scene(trial, seed, heard, f"phrase {name!r}, seed {seed}")
            for check in (
                rules.check_legal,
                rules.check_seeded,
                rules.check_streamed,
                rules.check_rewind,
                rules.check_guesses,
            ):
                check(scene)
        rules.check_controls(scene)
        rules.check_constraints(scene)
        rules.check_morph(scene)
        rules.check_gap(scene)
    if info.fills and not trial.hears_after:
        raise BrokenRule("it fills a gap", "what comes after a gap never made a difference to what was played in it")
    if not trial.notes:
        raise BrokenRule("it plays", "no phrase that was asked for had a note in it")
    limit = LIMITS[info.latency].bar_seconds * allowance if deadline_seconds is None else deadline_seconds
    trial.silent_seconds = 0.0
    extend_seconds = _check_deadline(trial, limit, f"{info.latency} class" if deadline_seconds is None else "deadline")
    if trial.silent_seconds > SILENT_SECONDS * allowance:
        what = f"it computed for {trial.silent_seconds:.1f} s without a beat; allowed: {SILENT_SECONDS:g} s on a stage"
        raise BrokenRule("it is not taken for hung", f"{what}, {SILENT_SECONDS * allowance:g} s here")
    trial.rules["it is not taken for hung"] = None
    at_first, at_last = (_prime_seconds(trial, length) for length in (64, 4096))
    return Report(
        rules=tuple(trial.rules),
        notes=trial.notes,
        extend_seconds=extend_seconds,
        silent_seconds=trial.silent_seconds,
        prime_seconds=at_last,
        prime_growth=at_last / at_first,
        idle_controls=tuple(control.name for control in info.controls if control.name not in trial.moved),
        silent_parts=tuple(name for part, name in enumerate(info.parts) if part not in trial.parts),
        seeds_differ=trial.seeds_differ,
    )


def _check_deadline(trial: Trial, limit_seconds: float, limit: str) -> tuple[float, float, float]:
    rule = "a bar is ready in time"
    melody = sample_phrases()["melody"]
    scene = Scene(trial, trial.seeds[0], melody, "phrase 'melody'")
    player = scene.player(rule)
    player.prime(melody)
    phrase = player.extend(scene.request())
    seconds = []
    for _ in range(_BARS_TIMED):
        phrase = player.extend(scene.request(phrase))
        seconds.append(trial.call_seconds)
    seconds.sort()
    p95 = seconds[math.ceil(0.95 * _BARS_TIMED) - 1]
    if p95 > limit_seconds:
        what = f"{p95 * 1e3:.1f} ms at the 95th percentile; the {limit} allows {limit_seconds * 1e3:g} ms here"
        raise scene.broken(rule, what)
    return median(seconds), p95, seconds[-1]


def _prime_seconds(trial: Trial, length: int) -> float:
    """Median seconds to take in one key press or release after a phrase of `length` notes."""
    heard = long_phrase(length)
    player = Scene(trial, trial.seeds[0], heard, f"{length} notes").player("a key press is taken in")
    before, *events = deque(streamed(heard), maxlen=34)
    player.prime(before)
    seconds = []
    for part in events:
        start = time.perf_counter()
        player.prime(part)
        seconds.append(time.perf_counter() - start)
    return median(seconds)
