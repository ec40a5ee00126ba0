"""`antiphon evaluate --music`: runs the report with a bar that moves, and prints or draws it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from antiphon.cli.terminal import say
from antiphon.errors import AntiphonError
from antiphon.plugins.host import Plugins, load_plugins
from antiphon.printable import printable
from antiphon_export.report.findings import Extent


def report_on_music(
    plugins: Plugins | None,
    who: str,
    folder: Path,
    extent: Extent,
    *,
    by: str | None = None,
    controls: Sequence[str] = (),
    as_json: bool = False,
    picture: Path | None = None,
) -> None:
    """Print what `who`, a generator by name or a model by path or name, answers to the music in `folder`.

    Raises:
        AntiphonError: what is named does not exist, does not fit, or holds too little music.
    """
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from antiphon_export.midi_folder import Corpus
    from antiphon_export.report.making import make_report
    from antiphon_export.report.musician import find_musician
    from antiphon_export.report.page import draw_page
    from antiphon_export.report.table import lines

    if picture is not None and not picture.absolute().parent.is_dir():
        raise AntiphonError(f"--picture is {str(picture)!r}; there is no folder {str(picture.parent)!r}")
    musician = find_musician(plugins or load_plugins(), who, by=by, controls=controls)
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns()[:2], MofNCompleteColumn(), console=console) as progress:

        def stage(what: str, steps: int) -> Callable[[], None]:
            task = progress.add_task(what, total=steps or None)
            return lambda: progress.advance(task)

        report = make_report(
            musician,
            Corpus(folder),
            extent,
            stage=stage,
            skipped=lambda problem: progress.console.print(printable(f"skipped {problem}"), markup=False),
        )
    if picture is not None:
        draw_page(picture, report)
    for line in [json.dumps(report.as_dict(), indent=2)] if as_json else lines(report):
        say(line)
