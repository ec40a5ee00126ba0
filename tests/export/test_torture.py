"""Damaged inputs: a short run over all that reads what others wrote, and that the fuzzer sees what it looks for."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from antiphon.cli import app
from antiphon.errors import AntiphonError
from antiphon_export.torture import fuzzing
from antiphon_export.torture.fuzzing import BIG, RAW, READ, REFUSED, SLOW, Findings
from antiphon_export.torture.mutations import mutated
from antiphon_export.torture.targets import Target, targets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and processor time are bounded as Linux does")

CASES = 300
"""Shared among the readers: a few seconds."""


def test_whatever_is_damaged_is_read_or_refused_in_words() -> None:
    found = fuzzing.fuzz(CASES, seed=15)
    assert {each.target: each.faults for each in found if each.faulty} == {}
    total = sum((each.counts for each in found), Counter[str]())
    assert total.total() >= CASES
    assert min(total[READ], total[REFUSED]) > CASES // 10


def test_every_seed_is_sound(tmp_path: Path) -> None:
    for target in targets(tmp_path):
        path = tmp_path / "case" / target.file_name
        path.parent.mkdir(exist_ok=True)
        for seed in target.seeds:
            path.write_bytes(seed)
            target.read(path)
        path.unlink()


def judged(read: object) -> Findings:
    """What is found of a reader, given one case."""

    def given(cases: Path) -> list[Target]:
        return [Target("toy", "toy", (b"12 sound",), read, 1)]  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fuzzing, "targets", given)
        patch.setattr(fuzzing, "_MOST_SECONDS", 0.2)
        (found,) = fuzzing.fuzz(1, seed=0)
    return found


def test_a_reader_that_stumbles_is_found_with_the_place_and_the_input() -> None:
    found = judged(lambda path: [][1])
    assert found.counts == {RAW: 1}
    assert list(found.faults.values()) == [b"12 sound"]
    assert next(iter(found.faults)).startswith("IndexError at test_torture.py:")


def test_a_reader_that_never_ends_is_found() -> None:
    def read(path: Path) -> None:
        while True:
            pass

    assert judged(read).counts == {SLOW: 1}


def test_a_reader_that_takes_all_memory_is_found() -> None:
    assert judged(lambda path: bytearray(1 << 40)).counts == {BIG: 1}


def test_a_reader_that_refuses_in_words_or_reads_is_right() -> None:
    def refuse(path: Path) -> None:
        raise AntiphonError("no")

    assert judged(refuse).counts == {REFUSED: 1}
    assert judged(lambda path: None).counts == {READ: 1}


def test_the_same_seed_gives_the_same_inputs() -> None:
    seed = b'{"is":"Heard","ticks":120}\nname = "text"\n'
    one, other = ([mutated(seed, [seed], Random(f"{start} {n}")) for n in range(300)] for start in (0, 0))
    assert one == other
    assert len(set(one)) > 200


def test_the_command_puts_its_table_into_a_page(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    page.write_text("before\n<!-- fuzz -->\nold\n<!-- end of fuzz -->\nafter\n")
    line = ["torture", "--cases", "20", "--target", "announcements", "--page", str(page)]
    from antiphon.plugins.host import load_plugins

    load_plugins().add_commands(app)
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    assert "| announcements of ports | 20 |" in page.read_text()
    assert page.read_text().startswith("before\n<!-- fuzz -->\n`antiphon torture --cases 20 --seed 0")
    assert page.read_text().endswith("<!-- end of fuzz -->\nafter\n")
    assert "old" not in page.read_text()
