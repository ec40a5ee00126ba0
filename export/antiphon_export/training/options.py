"""The options that the commands of training share, each said once, and how a span is read. It trains nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from antiphon.errors import AntiphonError

Folders = Annotated[
    list[str],
    typer.Argument(
        metavar="FOLDER[=WEIGHT]...",
        help="Folders of MIDI files; a folder with WEIGHT 2 is drawn from twice as often as one with 1, whatever "
        "their sizes. A manifest.csv (columns file, split) tells which files are for validation; without one, "
        "1 work in 16 is.",
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run; a run that is already there goes on.")]
Steps = Annotated[int, typer.Option("--steps", min=1, help="Optimizer steps in all.")]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Windows a step.")]
Length = Annotated[int, typer.Option("--length", min=16, help="Tokens in a window.")]
LearningRate = Annotated[float, typer.Option("--learning-rate", help="Of AdamW, at its highest.")]
MuonRate = Annotated[float, typer.Option("--muon-rate", help="Of Muon for the matrices; 0 gives them to AdamW.")]
WeightDecay = Annotated[float, typer.Option("--weight-decay", min=0, help="Of both.")]
CoolDown = Annotated[float, typer.Option("--cool-down", min=0, max=1, help="Share of the steps in which rates fall.")]
LabelSmoothing = Annotated[float, typer.Option("--label-smoothing", min=0, max=0.5, help="Spread over all tokens.")]
Transpose = Annotated[str, typer.Option("--transpose", help="Semitones LOW:HIGH by which windows are moved.")]
Tempo = Annotated[str, typer.Option("--tempo", help="Factors LOW:HIGH of speed; performance codec.")]
Velocity = Annotated[str, typer.Option("--velocity", help="Added LOW:HIGH to velocities; performance codec.")]
Study = Annotated[bool, typer.Option("--study", help="Read the files as the published study did (grid codec).")]
Align = Annotated[
    bool,
    typer.Option("--align", help="Put beats and bars where the music has them, not where files say (grid codec)."),
]
Beats = Annotated[
    Path | None,
    typer.Option(
        "--beats",
        help="Folder of annotated beats: of the piece NAME.mid in NAME/beat_midi.txt, a line a beat with its seconds "
        "and, last, 1 where a bar begins. Without it, bars are those of the file, with upbeats estimated.",
    ),
]
StartFrom = Annotated[
    str,
    typer.Option(
        "--from",
        help="What to begin with: a checkpoint, a model file, or a name that `antiphon models` lists.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of windows, dropout and first weights.")]
Precision = Annotated[
    str, typer.Option("--precision", help="bfloat16, float32, or auto: what this machine is fast at.")
]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Of the CPU; 0 for all cores.")]
ValidateEvery = Annotated[float, typer.Option("--validate-every", min=1, help="Seconds between two validations.")]

Number = TypeVar("Number", int, float)


def span(name: str, text: str, number: type[Number]) -> tuple[Number, Number]:
    """LOW and HIGH of `text`, which was given for the option `name`.

    Raises:
        AntiphonError: `text` is not two numbers LOW:HIGH of the type `number`, or LOW is above HIGH.
    """
    try:
        low, high = (number(part) for part in text.split(":"))
    except ValueError:
        raise AntiphonError(f"--{name} is {text!r}; give LOW:HIGH, as in --{name} 0:0") from None
    if low > high:
        raise AntiphonError(f"--{name} is {text!r}; LOW must not be above HIGH")
    return low, high
