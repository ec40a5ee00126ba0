"""A generator on trial: every call to it is watched. It knows no rule; `rules` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from antiphon.generator import Casting, Generator, GeneratorInfo, IllegalPhrase, MakeGenerator, Request, check_phrase
from antiphon.notes import Note, Phrase
from antiphon.taste.hearing import told
from antiphon.testing.advice import ADVICE, RAISED, Advice
from antiphon.testing.phrases import BAR_TICKS


class BrokenRule(AssertionError):
    """A generator breaks a rule of the contract; the text says which, how, in what situation, and what mends it."""

    def __init__(self, rule: str, what: str, advice: Advice | None = None) -> None:
        """`advice`: by default, that of the rule."""
        advice = advice or ADVICE[rule]
        super().__init__(f"{rule}: {what}\n  likely cause: {advice.likely_cause}\n  mend: {advice.mend}")
        self.rule = rule


@dataclass(slots=True)
class Trial:
    """What is tried, and what has been seen so far."""

    make: MakeGenerator
    info: GeneratorInfo
    model: str | None
    seeds: tuple[int, ...]
    rules: dict[str, None] = field(default_factory=lambda: {"the declaration is valid": None})
    notes: int = 0
    moved: set[str] = field(default_factory=set)
    parts: set[int] = field(default_factory=set)
    seeds_differ: bool = False
    silent_seconds: float = 0.0
    """The longest time without a beat within a call."""
    call_seconds: float = 0.0
    """How long the last call took, without what the kit did about it."""
    _begun_seconds: float = 0.0
    _beat_seconds: float = 0.0
    hears_after: bool = False
    """Whether what comes after a gap made a difference to what was played in it."""

    def begin(self) -> None:
        """A call begins."""
        self._begun_seconds = self._beat_seconds = time.perf_counter()

    def end(self) -> None:
        """The call is over."""
        self.beat()
        self.call_seconds = self._beat_seconds - self._begun_seconds

    def beat(self) -> None:
        """The generator is at work."""
        now = time.perf_counter()
        self.silent_seconds = max(self.silent_seconds, now - self._beat_seconds)
        self._beat_seconds = now


@dataclass(slots=True)
class Scene:
    """One heard phrase and one seed."""

    trial: Trial
    seed: int
    heard: Phrase
    name: str

    def player(self, rule: str, seed: int | None = None) -> JudgedPlayer:
        """A new generator that is about to be judged by `rule`."""
        self.trial.rules[rule] = None
        return JudgedPlayer(self, rule, self.seed if seed is None else seed)

    def request(self, after: Phrase | None = None, length_ticks: int = BAR_TICKS) -> Request:
        """A request that goes on from `after`, or from what is heard, with every control at its default."""
        start = (after or self.heard).end_ticks
        return Request(start, length_ticks, self.trial.info.resolve_controls({}))

    def broken(self, rule: str, what: str, advice: Advice | None = None) -> BrokenRule:
        return BrokenRule(rule, f"{what} ({self.name})", advice)


class JudgedPlayer:
    """A generator under judgement: whatever it raises or returns amiss is a broken rule."""

    def __init__(self, scene: Scene, rule: str, seed: int) -> None:
        self._scene = scene
        self._rule = rule
        generator = self._call(
            "make", lambda: scene.trial.make(Casting(seed, scene.trial.model, beat=scene.trial.beat))
        )
        if not isinstance(generator, Generator):
            missing = [name for name in ("prime", "extend", "rewind") if not hasattr(generator, name)]
            raise scene.broken(
                rule,
                f"make returned {type(generator).__name__}, which has no {' and no '.join(missing)}",
                Advice(
                    "a method that is missing or misspelt", "give it prime, extend and rewind, as Generator has them"
                ),
            )
        self._generator = generator
        self._heard: tuple[Note, ...] = ()

    def prime(self, heard: Phrase) -> None:
        self._heard = heard.notes
        self._call("prime", lambda: self._generator.prime(heard))

    def rewind(self, to_ticks: int) -> None:
        self._heard = tuple(note for note in self._heard if note.start_ticks < to_ticks)
        self._call("rewind", lambda: self._generator.rewind(to_ticks))

    def extend(self, request: Request) -> Phrase:
        asked = told(request, self._heard)
        answer = self._call("extend", lambda: self._generator.extend(asked))
        try:
            phrase = check_phrase(answer, request, self._scene.trial.info.part_count)
        except IllegalPhrase as error:
            raise self._scene.broken("phrases are legal", str(error)) from error
        self._scene.trial.notes += len(phrase.notes)
        self._scene.trial.parts |= {note.part for note in phrase.notes}
        return phrase

    def _call(self, name: str, function: Callable[[], object]) -> object:
        self._scene.trial.begin()
        try:
            return function()
        except Exception as error:
            what = f"{name} raised {type(error).__name__}: {error}"
            raise self._scene.broken(self._rule, what, RAISED) from error
        finally:
            self._scene.trial.end()
