"""What a command of training shows while it runs: a bar, words beside it, lines above it. It trains nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from antiphon.printable import printable
from antiphon_export.training.sitting import Stopped

_ENDED: Final = 130
"""Exit code of what Ctrl-C has ended, as shells have it: 128, and the number of the signal."""


class Bar:
    """Shown from entering to leaving it, on standard error."""

    def __init__(self, steps: int) -> None:
        """`steps`: of the run, in all."""
        self._progress = Progress(
            *Progress.get_default_columns()[:2],
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[beside]}"),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("training", total=steps, beside="")

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, step: int, beside: str) -> None:
        """`step` steps are made."""
        self._progress.update(self._task, completed=step, beside=beside)

    def tell(self, text: str) -> None:
        """Print a line, above the bar while that is shown; it is not broken, so that commands in it can be copied."""
        self._progress.console.print(printable(text), markup=False, soft_wrap=True)


@contextmanager
def ends_kindly(bar: Bar) -> Iterator[None]:
    """Where a person ends the run within, say what is kept, and end the command."""
    try:
        yield
    except Stopped as stopped:
        bar.tell(str(stopped))
        raise typer.Exit(_ENDED) from None
