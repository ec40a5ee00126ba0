"""`antiphon torture`: faults, done on purpose, and what became of them. It plays nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import typer

from antiphon.cli.terminal import say
from antiphon.errors import AntiphonError

PARTS: Final = ("fuzz",)
"""What there is to `--only`."""
_BEGIN, _END = "<!-- fuzz -->", "<!-- end of fuzz -->"


def torture(
    only: str = typer.Option("fuzz", "--only", help=f"Which part: {', '.join(PARTS)}."),
    cases: int = typer.Option(20_000, "--cases", min=1, help="Mutated inputs, shared among all readers."),
    seed: int = typer.Option(0, "--seed", min=0, help="The same seed gives the same inputs."),
    target: str = typer.Option("", "--target", help="Only readers with this in their name: MIDI, journals, presets …"),
    keep: Path | None = typer.Option(None, "--keep", help="Folder for an input of each kind of fault."),
    page: Path | None = typer.Option(None, "--page", help="Put the table into this page, such as docs/faults.md."),
) -> None:
    """Do to Antiphon what breaks programs, and print what became of it; exits with 1 if anything did break.

    `fuzz`: files, announcements and streams that were damaged by rule, given to all that reads them. Each must be read,
    or refused in words, within 5 s of the processor and 2 GiB of memory. Linux only.
    """
    from antiphon_export.bench.machine import this_machine
    from antiphon_export.torture import fuzzing

    if only not in PARTS:
        raise AntiphonError(f"--only is '{only}'; allowed: {', '.join(PARTS)}")
    findings = fuzzing.fuzz(cases, seed, target, lambda name: say(f"fuzzing {name} …", err=True))
    lines = fuzzing.table(findings)
    for line in lines:
        say(line)
    if page is not None:
        made = f"`antiphon torture --cases {cases} --seed {seed}` on {this_machine()}"
        _put(page, "\n".join([_BEGIN, made, "", *lines, _END]))
    for found in findings:
        for kind in found.faults:
            say(f"{found.target}: {kind}", err=True)
    if keep is not None:
        for path in fuzzing.keep(findings, keep):
            say(f"kept {path}", err=True)
    if any(found.faulty for found in findings):
        raise typer.Exit(1)


def _put(page: Path, text: str) -> None:
    """`text` in place of what stands between its marks in `page`."""
    try:
        before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
        _, mark, after = rest.partition(_END)
        if not mark:
            raise AntiphonError(f"'{page}' has no place for the table; write '{_BEGIN}' and '{_END}' into it")
        page.write_text(before + text + after, encoding="utf-8")
    except OSError as error:
        raise AntiphonError(f"'{page}' cannot be changed ({error.strerror})") from error
