"""What `antiphon evaluate` can judge, each by its own protocol, and how two of a kind compare. It prints nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from antiphon.errors import AntiphonError
from antiphon.models.card import ROLL_CODEC, ModelCard, ModelError, RollCard, read_any_card
from antiphon.plugins.host import Plugins
from antiphon.plugins.models import find_model
from antiphon_export.report.musician import Musician, model_file
from antiphon_export.training.run_folder import load_checkpoint
from antiphon_plugins.markov import INFO as MARKOV
from antiphon_plugins.markov.table import SHIPPED, load_table

TABLE: Final = ".npz"
"""Suffix of Markov tables."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found of one model."""

    lines: Sequence[str]
    """In words."""
    data: dict[str, Any]
    """As JSON takes it."""
    figures: dict[str, float]
    """By what it is a figure of: what two models are compared by."""
    better: str = "less"
    """Whether `less` of a figure is better, or `more`."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A model that can be judged, and what its file says of it."""

    path: Path
    codec: str
    """`markov` for a table."""
    corpora: tuple[str, ...]
    """What it learnt from."""
    told: str = ""
    """What its training measured, and on what; empty where that is unknown."""


def find_judged(plugins: Plugins, text: str) -> Judged:
    """The model that `text` means, as in a preset: a path, a name that `antiphon models` lists, or a generator's name.

    Raises:
        AntiphonError: there is no such file or name, or it is no model.
    """
    path = Path(text).expanduser()
    if not (path.is_file() or path.suffix in (".pt", ".onnx", TABLE) or "/" in text or "\\" in text):
        path = _named(plugins, text)
    if path.suffix == TABLE:
        return Judged(path, MARKOV.name, tuple(str(part["name"]) for part in load_table(path).origin["corpora"]))
    if path.suffix == ".onnx":
        card = read_any_card(path)
        return Judged(path, card.codec, card.corpora, _told_by_card(card))
    content = load_checkpoint(path)
    return Judged(
        path, content["codec"], tuple(str(part["name"]) for part in content.get("corpora", ())), _told(content)
    )


def _named(plugins: Plugins, name: str) -> Path:
    try:
        return find_model(name)
    except ModelError:
        if name == MARKOV.name:
            return SHIPPED
        if name not in plugins.generators:
            raise
    return _own_model(plugins, name)


def _own_model(plugins: Plugins, name: str) -> Path:
    """The model that the generator `name` brings."""
    registered = plugins.generator(name)
    own = model_file(Musician(registered.info, registered.make))
    if own is None:
        raise AntiphonError(f"generator {name!r} brings no model that can be evaluated; name a model or a file")
    return own


def shipped(plugins: Plugins, codec: str) -> Judged:
    """The model of `codec` that a generator brings. Raises AntiphonError if none does."""
    if codec == MARKOV.name:
        return find_judged(plugins, str(SHIPPED))
    for registered in plugins.generators.values():
        own = model_file(Musician(registered.info, registered.make))
        if own is not None and read_any_card(own).codec == codec:
            return find_judged(plugins, str(own))
    raise AntiphonError(f"no model of the codec {codec!r} comes with Antiphon; name one with --compare-with")


def seen(judged: Judged, folder: Path) -> list[str]:
    """The corpora that `judged` learnt from which seem to be `folder`, by their names."""
    parts = {_plain(part) for part in folder.resolve().parts[-2:]}
    return [name for name in judged.corpora if any(_plain(name.split()[0]) in part for part in parts if part)]


def comparison(one: Judgement, other: Judgement, name: str) -> list[str]:
    """How `one` compares with `other`, which is called `name`, line by line."""
    told = []
    for what, figure in one.figures.items():
        if what in other.figures:
            difference = figure - other.figures[what]
            good = (difference < 0) == (one.better == "less")
            word = "the same" if abs(difference) < 5e-5 else "better" if good else "worse"
            told.append(
                f"beside {name}: {figure:.4f} against {other.figures[what]:.4f} {what}: {difference:+.4f}, {word}"
            )
    return told


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _told_by_card(card: ModelCard | RollCard) -> str:
    nll = getattr(card, "validation_nll", float("nan"))
    return "" if nll != nll else f"its card says {nll:.4f}, measured on the validation pieces of what it learnt from"


def _told(content: dict[str, Any]) -> str:
    """What the checkpoint's training measured, and on which windows."""
    nll = content.get("validation_nll")
    if nll is None or content["codec"] == ROLL_CODEC:
        return ""
    if "validation" not in content:
        return f"its training measured {nll:.4f} on windows of another kind; the two figures do not compare"
    samples = [
        f"{part['windows']} windows of {part['name']}" + (f" (--every {part['every']})" if part["every"] > 1 else "")
        for part in content["validation"]
    ]
    return f"its training measured {nll:.4f} on {', '.join(samples)}"


def judge_table(path: Path, folder: Path, every: int, report: Callable[[str], None]) -> Judgement:
    """Judge a Markov table."""
    from antiphon_export.markov_evaluation import evaluate_table

    found = evaluate_table(load_table(path), folder, every=every, report=report)
    figures = {"nats per event": found.nats_per_event, "nats per note": found.nats_per_note}
    return Judgement(found.lines(), {"every": every, **asdict(found)}, figures)
