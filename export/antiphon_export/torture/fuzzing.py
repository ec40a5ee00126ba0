"""Mutated inputs, read one after another: what becomes of each. A reader may read or refuse; all else is a fault.

A case is made from the seed of the run and its number alone, so that any of them can be made again.
"""

from __future__ import annotations

import resource
import signal
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final

from antiphon.errors import AntiphonError
from antiphon.printable import printable
from antiphon_export.torture.mutations import mutated
from antiphon_export.torture.targets import Target, targets

_MOST_SECONDS: Final = 5.0
"""Of the processor, for one case."""
_MOST_BYTES: Final = 2 << 30
"""Of address space, more than is taken when the run begins."""
READ: Final = "read"
REFUSED: Final = "refused in words"
SLOW: Final = "too slow"
BIG: Final = "too big"
RAW: Final = "raw error"
OUTCOMES: Final = (READ, REFUSED, RAW, SLOW, BIG)


@dataclass(slots=True)
class Findings:
    """What became of the cases of one target."""

    target: str
    counts: Counter[str] = field(default_factory=Counter)
    """By outcome."""
    faults: dict[str, bytes] = field(default_factory=dict)
    """An input for each kind of fault, by what it raised and where."""

    @property
    def faulty(self) -> int:
        """Cases that were neither read nor refused in words."""
        return sum(self.counts[outcome] for outcome in (RAW, SLOW, BIG))


class _TooSlow(BaseException):
    """Not an `Exception`: no reader may take it for damage in the file."""


def fuzz(cases: int, seed: int, only: str = "", tell: Callable[[str], None] = lambda _: None) -> list[Findings]:
    """Read `cases` mutated inputs, shared among the targets that have `only` in their names."""
    with tempfile.TemporaryDirectory(prefix="antiphon-torture-") as name:
        chosen = [target for target in targets(Path(name)) if only in target.name]
        if not chosen:
            raise AntiphonError(f"no target has '{only}' in its name")
        found, shares = [], sum(target.share for target in chosen)
        with _bounded_memory():
            for target in chosen:
                place = Path(name) / "case"
                place.mkdir(exist_ok=True)
                tell(target.name)
                found.append(_fuzz(target, place, -(-cases * target.share // shares), seed))
                for file in place.iterdir():
                    file.unlink()
        return found


def case(target: Target, seed: int, number: int) -> bytes:
    """Input `number` of a run."""
    random = Random(f"{target.name} {seed} {number}")
    return mutated(random.choice(target.seeds), target.seeds, random)


def _fuzz(target: Target, place: Path, cases: int, seed: int) -> Findings:
    findings = Findings(target.name)
    path = place / target.file_name
    for number in range(cases):
        data = case(target, seed, number)
        path.write_bytes(data)
        outcome, kind = _outcome(target, path)
        findings.counts[outcome] += 1
        if kind:
            findings.faults.setdefault(kind, data)
    return findings


def _outcome(target: Target, path: Path) -> tuple[str, str]:
    """What became of a case, and of which kind the fault is, if it is one."""
    try:
        with _bounded_time():
            target.read(path)
    except AntiphonError:
        return REFUSED, ""
    except _TooSlow as error:
        return SLOW, _kind(error)
    except MemoryError as error:
        return BIG, _kind(error)
    except Exception as error:  # Whatever it is, a person would have seen its traceback.
        return RAW, _kind(error)
    return READ, ""


def _kind(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return printable(f"{type(error).__name__} at {place}: {error}", 200)


@contextmanager
def _bounded_time() -> Iterator[None]:
    """Raise `_TooSlow` within the block once it has had more than its share of the processor."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _bounded_memory() -> Iterator[None]:
    """Let what asks for far too much memory get a MemoryError within the block, in place of the machine's."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MOST_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def keep(findings: Sequence[Findings], folder: Path) -> list[Path]:
    """Write an input for each kind of fault into `folder`, under a name of its contents."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for found in findings:
        for data in found.faults.values():
            path = folder / f"{found.target.replace(' ', '-')}-{sha256(data).hexdigest()[:8]}"
            path.write_bytes(data)
            kept.append(path)
    return kept


def table(findings: Sequence[Findings]) -> list[str]:
    """What became of the cases, by target and outcome, as a table for the documentation."""
    lines = [f"| read by | cases | {' | '.join(OUTCOMES)} |", "|---|" + "--:|" * (1 + len(OUTCOMES))]
    total: Counter[str] = Counter()
    for found in findings:
        total += found.counts
        lines.append(_row(found.target, found.counts))
    return [*lines, _row("**all**", total)]


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {counts.total():,} | {' | '.join(f'{counts[outcome]:,}' for outcome in OUTCOMES)} |"
