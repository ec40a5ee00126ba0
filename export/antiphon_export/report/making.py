"""The making of a report: a musician answers calls, and everything is measured. It prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import AntiphonError
from antiphon.models.card import read_any_card
from antiphon.music.note_rows import rows_of
from antiphon.notes import Phrase
from antiphon_export.midi_folder import Corpus
from antiphon_export.report.excerpts import Excerpt, endings, excerpts
from antiphon_export.report.findings import Extent, PulseTaken, Report, Row, Sample
from antiphon_export.report.musician import SESSION_BPM, Musician, model_file
from antiphon_export.report.plain_calls import PLAIN_BPM, PlainScore, mean_score, plain_calls, score
from antiphon_export.report.quoting import Quoting, find_quotes, moves
from antiphon_export.report.rows import accompaniment_rows, statistic_rows
from antiphon_export.report.sense import (
    PULSE_BPM,
    MovedBeat,
    beat_ticks_at,
    eighth_coherence,
    eighths,
    moved_beat,
    noise_ticks,
    random_coherence,
    same_answers,
)
from antiphon_export.report.songs import songs
from antiphon_export.report.spread import mean
from antiphon_export.report.statistics import FEWEST_NOTES, STATISTICS, HeardCall, measured
from antiphon_export.training.pieces import Piece

_BEAT_PIECES: Final = 24
"""Pieces in which a model is asked where the beat is."""
_SONGS: Final = 24
_TOLD: Final = ("in the key", "strength at the pulse", "motif returns", "density of the last bar")
"""Statistics told on the picture."""

Answered = tuple[int, Phrase, Phrase]
"""Seed, call, answer."""
Stage = Callable[[str, int], Callable[[], None]]
"""Told that a stage begins and how many steps it has; gives what is to be called after each."""


def make_report(
    musician: Musician,
    corpus: Corpus,
    extent: Extent,
    *,
    stage: Stage = lambda *_: lambda: None,
    skipped: Callable[[str], None] = lambda _: None,
) -> Report:
    """Let `musician` answer, and measure.

    Raises:
        AntiphonError: the folder has no two validation pieces to take calls from, or the musician cannot be made.
    """
    players = [musician.seated(extent.seed + number) for number in range(extent.seeds)]
    pieces = list(musician.read(corpus, "valid", skipped))
    found = excerpts(pieces, extent.calls)
    if len({excerpt.piece for excerpt in found}) < 2:
        raise AntiphonError(
            f"{str(corpus.folder)!r} has {len(pieces)} pieces under 'valid', and fewer than two are long enough for a "
            "call and its continuation; name a folder with more music, or let its manifest.csv keep more back"
        )
    ends = endings(pieces)
    heard = [HeardCall.of(excerpt.call) for excerpt in found]
    answers: list[Answered] = []
    advance = stage("answering calls", len(found) * extent.seeds)
    for number, player in enumerate(players):
        for excerpt in found:
            answers.append((extent.seed + number, excerpt.call, musician.answer(excerpt.call, player=player)))
            advance()
    played = np.array([measured(heard[i % len(found)], answer) for i, (_, _, answer) in enumerate(answers)])
    random = np.random.default_rng(extent.seed)
    rows = statistic_rows(found, heard, ends, played, random)
    plain, plain_answers, plain_samples = _plain(musician, extent, stage)
    everything = [*answers, *plain_answers]
    return Report(
        generator=musician.info.name,
        model=musician.model,
        controls=dict(musician.controls or {}),
        folder=corpus.name,
        extent=extent,
        calls=len(found),
        pieces=len({excerpt.piece for excerpt in found}),
        pulses=sum(call.pulse is not None for call in heard),
        endings=len(ends),
        answers=len(answers),
        silent=sum(len(answer.notes) < FEWEST_NOTES for _, _, answer in answers),
        rows=tuple(rows),
        accompaniment=tuple(_accompaniment(musician, corpus, extent, random, stage)),
        plain=plain,
        pulse=_pulse(musician, extent, random, stage),
        same=same_answers(everything),
        same_of=len(everything),
        moved=_moved(musician, pieces, stage),
        quoting=_quoting(musician, corpus, found, answers, stage, skipped) if extent.quotes else None,
        samples=(*_samples(found, answers, played), *plain_samples),
    )


def _plain(
    musician: Musician, extent: Extent, stage: Stage
) -> tuple[dict[str, PlainScore], list[Answered], list[Sample]]:
    to_the_beat = musician.info.follows == "beat"
    beat_ticks = beat_ticks_at(PLAIN_BPM, to_the_beat=to_the_beat)
    bpm = PLAIN_BPM if to_the_beat else SESSION_BPM
    written = plain_calls()
    scores: dict[str, list[PlainScore]] = {call.name: [] for call in written}
    answers, samples = [], []
    advance = stage("answering plain calls", extent.plain_seeds * len(written))
    for seed in range(extent.seed, extent.seed + extent.plain_seeds):
        player = musician.seated(seed)
        for call in written:
            phrase = call.at(beat_ticks)
            answer = musician.answer(phrase, player=player, tempo_bpm=bpm)
            one = score(call, rows_of(answer.notes), answer.start_ticks, answer.end_ticks, beat_ticks)
            scores[call.name].append(one)
            answers.append((seed, phrase, answer))
            if seed == extent.seed:
                words = f"in key {one.in_key:.0%}, in time {one.in_time:.0%}"
                samples.append(Sample(call.name, phrase, answer, words))
            advance()
    return {name: mean_score(found) for name, found in scores.items()}, answers, samples


def _pulse(musician: Musician, extent: Extent, random: np.random.Generator, stage: Stage) -> PulseTaken:
    to_the_beat = musician.info.follows == "beat"
    beat_ticks = beat_ticks_at(PULSE_BPM, to_the_beat=to_the_beat)
    bpm = PULSE_BPM if to_the_beat else SESSION_BPM
    noise = noise_ticks(beat_ticks)
    found = []
    counts = []
    advance = stage("following a pulse", extent.plain_seeds)
    for number in range(extent.plain_seeds):
        player = musician.seated(extent.seed + number)
        row = []
        for call in (eighths(beat_ticks, number % 12 - 6), eighths(beat_ticks, number % 12 - 6, noise, random)):
            answer = musician.answer(call, player=player, tempo_bpm=bpm)
            row += [eighth_coherence(call, beat_ticks), eighth_coherence(answer, beat_ticks)]
            counts.append(len({note.start_ticks for note in answer.notes}))
        found.append(row)
        advance()
    columns = np.array(found, dtype=np.float64).reshape(-1, 4).T
    means = [mean(column) for column in columns]
    return PulseTaken(means[0], means[1], means[2], means[3], random_coherence(counts, random))


def _accompaniment(
    musician: Musician, corpus: Corpus, extent: Extent, random: np.random.Generator, stage: Stage
) -> list[Row]:
    found = songs(corpus, "valid", min(_SONGS, extent.calls), to_the_beat=musician.info.follows == "beat")
    if len(found) < 2:
        return []
    advance = stage("playing along", len(found) * extent.seeds)
    accompaniments = []
    for number in range(extent.seeds):
        player = musician.seated(extent.seed + number)
        for song in found:
            accompaniments.append(rows_of(musician.accompany(song.melody, player).notes))
            advance()
    return accompaniment_rows(found, accompaniments, random)


def _moved(musician: Musician, pieces: Sequence[Piece], stage: Stage) -> MovedBeat | None:
    path = model_file(musician)
    if path is None or read_any_card(path).codec != "grid":
        return None
    from antiphon_export.scoring import load_scorer  # here, because it brings PyTorch

    chosen = pieces[:_BEAT_PIECES]
    advance = stage("moving the beat", len(chosen))

    def each() -> Iterator[Piece]:
        for piece in chosen:
            yield piece
            advance()

    return moved_beat(load_scorer(path).score, each())


def _quoting(
    musician: Musician,
    corpus: Corpus,
    found: Sequence[Excerpt],
    answers: Sequence[Answered],
    stage: Stage,
    skipped: Callable[[str], None],
) -> dict[str, Quoting] | None:
    advance = stage("searching the training pieces", 0)
    training = []
    for piece in musician.read(corpus, "train", skipped):
        training += [moves(part) for part in piece.parts]
        advance()
    if not training:
        return None
    return find_quotes(
        {
            "real": [moves(rows_of(excerpt.continuation.notes)) for excerpt in found],
            "answers": [moves(rows_of(answer.notes)) for _, _, answer in answers],
        },
        training,
    )


def _samples(
    found: Sequence[Excerpt], answers: Sequence[Answered], played: NDArray[np.float64], most: int = 6
) -> list[Sample]:
    """Calls from evenly over the pieces, answered with the first seed."""
    samples = []
    for index in np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)).tolist():
        excerpt = found[index]
        real = _in_words(measured(HeardCall.of(excerpt.call), excerpt.continuation))
        words = _in_words(played[index])
        samples.append(Sample(f"call {index + 1}", excerpt.call, answers[index][2], words, excerpt.continuation, real))
    return samples


def _in_words(figures: NDArray[np.float64]) -> str:
    told = {statistic.name: figure for statistic, figure in zip(STATISTICS, figures.tolist(), strict=True)}
    return ", ".join(f"{name} {_said(told[name])}" for name in _TOLD)


def _said(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.2f}"
