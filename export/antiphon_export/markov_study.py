"""How the Markov generator compares with real music, and whether it quotes: the numbers of its model card.

    python -m antiphon_export.markov_study FOLDER [FOLDER ...] [--table FILE] [--calls N]

The folders are those the table was learnt from, with their manifests: pieces of the `valid` split are continued, pieces
of the `train` split are searched for what was played. Nothing is learnt or written.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.generator import Casting, Request
from antiphon.notes import Note, Phrase, score_order
from antiphon_export.markov import read_line
from antiphon_export.midi_folder import Corpus, Notes, read_pieces
from antiphon_plugins.markov import INFO, make
from antiphon_plugins.markov.table import mix

BAR_TICKS = 1920
CALL_BARS = 4
_RUNS = (8, 12, 16, 24, 32, 48)
"""Lengths of runs, in events, that are searched for in the training pieces."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Compare the Markov generator with real music.")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--table", default=None, help="table to play from; the shipped one unless given")
    parser.add_argument("--calls", type=int, default=40, help="calls taken from each folder")
    arguments = parser.parse_args()
    corpora = [Corpus.parse(folder) for folder in arguments.folders]
    calls: list[Phrase] = []
    real: list[Phrase] = []
    print(
        f"{'corpus':<11}{'':<9}{'onsets':>8}{'notes':>7}{'gap':>7}{'leap':>7}{'steps':>7}{'pc':>7}{'loud':>7}{'sd':>6}{'hold':>6}"
    )
    for corpus in corpora:
        excerpts = list(_excerpts(corpus, arguments.calls))
        if not excerpts:
            print(f"{corpus.name:<11}has no pieces to try")
            continue
        theirs = [continuation for _, continuation in excerpts]
        ours = [answer(call, arguments.table) for call, _ in excerpts]
        for name, continuations in (("real", theirs), ("markov", ours)):
            rows = [_measure(call, phrase) for (call, _), phrase in zip(excerpts, continuations, strict=True)]
            print(f"{corpus.name:<11}{name:<9}" + _row(np.nanmean(rows, axis=0)))
        calls += [call for call, _ in excerpts]
        real += theirs
    print("\nshare of runs of n events (moves of the highest note, note values) that occur in a training piece;")
    print("runs of fewer than 5 different moves do not count")
    print(f"{'':<28}" + "".join(f"{n:>8}" for n in _RUNS))
    silence = Phrase(0, 0)
    rows_of_phrases = {
        "real music": real,
        "answers to it": [answer(call, arguments.table) for call in calls],
        "the same, trust 0": [answer(call, arguments.table, trust=0.0) for call in calls],
        "from nothing, trust 0": [
            answer(silence, arguments.table, bars=16, seed=seed, trust=0.0) for seed in range(60)
        ],
    }
    tokens = {name: [_tokens(_array(phrase)) for phrase in phrases] for name, phrases in rows_of_phrases.items()}
    shares = _shared(tokens, [part for corpus in corpora for part in _training_parts(corpus)])
    for name, row in shares.items():
        print(f"{name:<28}" + "".join(f"{share:>8.2%}" for share in row))


def answer(call: Phrase, table: str | None, bars: int = CALL_BARS, seed: int = 0, **controls: float) -> Phrase:
    """The generator's continuation of `call`, asked for bar by bar."""
    player = make(Casting(seed, table))
    player.prime(call)
    notes: list[Note] = []
    start = call.end_ticks
    for bar in range(bars):
        request = Request(start, BAR_TICKS, INFO.resolve_controls(controls), final=bar == bars - 1)
        notes += player.extend(request).notes
        start = request.end_ticks
    return Phrase(call.end_ticks, start, tuple(notes))


def _excerpts(corpus: Corpus, calls: int) -> Iterable[tuple[Phrase, Phrase]]:
    """Calls from the middle of held-out pieces, each with how the piece goes on."""
    found = 0
    for path in corpus.files("valid"):
        try:
            pieces = list(read_pieces(path, "valid"))
        except AntiphonError:
            continue
        for piece in pieces:
            notes = piece.parts[0]
            middle = int(notes[len(notes) // 2, 0])
            span = CALL_BARS * BAR_TICKS
            call, continuation = _phrase(notes, middle - span, middle), _phrase(notes, middle, middle + span)
            if len(call.notes) >= 8 and len(continuation.notes) >= 8:
                yield call, continuation
                found += 1
            if found == calls:
                return


def _phrase(notes: Notes, start: int, end: int) -> Phrase:
    inside = notes[(notes[:, 0] >= start) & (notes[:, 0] < end)]
    unique = {
        (onset, pitch): Note(onset, pitch, length, velocity) for onset, pitch, length, velocity in inside.tolist()
    }
    return Phrase(start, end, tuple(sorted(unique.values(), key=score_order)))


def _array(phrase: Phrase) -> Notes:
    rows = [(n.start_ticks, n.pitch, n.length_ticks, n.velocity) for n in phrase.notes]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _measure(call: Phrase, phrase: Phrase) -> list[float]:
    """Onsets a beat, notes an onset, mean gap in beats, mean leap of the highest note, share of its moves by 1 or 2
    semitones, overlap of pitch classes with the call, mean velocity relative to the call's, its deviation, and length
    relative to the time to the next onset (median)."""
    if len(phrase.notes) < 3:
        return [float("nan")] * 9
    notes = _array(phrase)
    starts = np.flatnonzero(np.diff(notes[:, 0], prepend=-(10**9)) > 30)
    lead = np.maximum.reduceat(notes[:, 1], starts)
    gaps = np.diff(notes[starts, 0])
    motion = np.abs(np.diff(lead))
    moving = motion[motion > 0]
    heard = _array(call)
    overlap = np.minimum(_classes(heard), _classes(notes)).sum()
    beats = phrase.length_ticks / 480
    return [
        len(starts) / beats,
        len(notes) / len(starts),
        float(gaps.mean()) / 480 if len(gaps) else float("nan"),
        float(motion.mean()) if len(motion) else float("nan"),
        float((moving <= 2).mean()) if len(moving) else float("nan"),
        float(overlap),
        float(notes[:, 3].mean() - heard[:, 3].mean()),
        float(notes[:, 3].std()),
        float(np.median(np.maximum.reduceat(notes[:, 2], starts)[:-1] / gaps)) if len(gaps) else float("nan"),
    ]


def _classes(notes: Notes) -> NDArray[np.float64]:
    counts = np.bincount(notes[:, 1] % 12, minlength=12)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def _row(values: NDArray[np.float64]) -> str:
    widths, digits = (8, 7, 7, 7, 7, 7, 7, 6, 6), (2, 2, 2, 1, 2, 2, 1, 1, 2)
    return "".join(f"{value:>{w}.{d}f}" for value, w, d in zip(values, widths, digits, strict=True))


def _training_parts(corpus: Corpus) -> Iterable[NDArray[np.uint64]]:
    for path in corpus.files():
        try:
            for piece in read_pieces(path):
                for part in piece.parts:
                    yield _tokens(part)
        except AntiphonError:
            continue


def _tokens(notes: Notes) -> NDArray[np.uint64]:
    """Moves of the highest note with their note values, in any key: one number an event."""
    if len(notes) < 3:
        return np.zeros(0, dtype=np.uint64)
    line = read_line(notes, on_grid=False)
    return (line.move // np.uint64(4))[1:]


def _runs(tokens: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Hashes of all runs of `length` events."""
    count = len(tokens) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    low = high = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        window = tokens[offset : offset + count]
        low, high = mix(low, window), mix(high, window + np.uint64(7919))
    return high << np.uint64(32) | low


def _is_varied(tokens: NDArray[np.uint64], length: int) -> NDArray[np.bool_]:
    """For all runs of `length` events: whether they have 5 different moves or more. A note or a figure that is merely
    repeated is nobody's."""
    windows = [tokens[start : start + length] for start in range(max(0, len(tokens) - length + 1))]
    return np.array([len(set(window.tolist())) >= 5 for window in windows], dtype=bool)


def _shared(
    tokens: dict[str, list[NDArray[np.uint64]]], training: Sequence[NDArray[np.uint64]]
) -> dict[str, list[float]]:
    """For each set of phrases and each length of run: the share of its runs that occur in `training`."""
    shares: dict[str, list[float]] = {name: [] for name in tokens}
    for length in _RUNS:
        known = np.unique(np.concatenate([_runs(part, length) for part in training]))
        for name, phrases in tokens.items():
            runs = np.concatenate([_runs(phrase, length) for phrase in phrases])
            varied = np.concatenate([_is_varied(phrase, length) for phrase in phrases])
            quoted = np.isin(runs, known) & varied
            shares[name].append(float(quoted.mean()) if len(runs) else float("nan"))
    return shares


if __name__ == "__main__":
    main()
