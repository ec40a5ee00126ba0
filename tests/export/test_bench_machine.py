"""Processes are found, and what they take is read, from a /proc that may change underneath."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.errors import AntiphonError
from antiphon_export.bench.machine import family, processor_seconds, resident_megabytes, this_machine
from antiphon_export.bench.programs import environment, jack_server


def process(proc: Path, pid: int, parent: int, command: str, name: str = "python") -> Path:
    folder = proc / str(pid)
    (folder / "task").mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1 0 0 0 0 0 250 150 0 0 20 0 1\n")
    (folder / "cmdline").write_bytes("\0".join(command.split()).encode() + b"\0")
    (folder / "status").write_text("Name:\tpython\nVmRSS:\t  150000 kB\nRssShmem:\t  50000 kB\n\n")
    return folder


def test_the_processes_of_a_performance_are_told_by_their_roles(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, "python -c main jam")
    process(tmp_path, 11, 10, "python -P -m antiphon.processes.runtime engine /tmp/x 0", "a) b (c")
    process(tmp_path, 12, 10, "python -P -m antiphon.processes.runtime player /tmp/x 2")
    process(tmp_path, 13, 99, "python -P -m antiphon.processes.runtime engine /tmp/y 0")
    process(tmp_path, 14, 10, "sh -c true")
    (tmp_path / "15").mkdir()  # Ending this very moment.
    assert family(10, tmp_path) == {"supervisor": 10, "engine": 11, "player 2": 12}


def test_a_system_that_does_not_tell_of_processes_is_no_error(tmp_path: Path) -> None:
    assert family(10, tmp_path) is None


@pytest.mark.parametrize("look", [resident_megabytes, processor_seconds])
def test_a_process_that_has_ended_meanwhile_is_named(tmp_path: Path, look: Callable[[int, Path], float]) -> None:
    with pytest.raises(AntiphonError, match="process 10 has ended"):
        look(10, tmp_path)


def test_memory_shared_with_a_server_is_not_counted(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, "python")
    assert resident_megabytes(10, tmp_path) == pytest.approx(102.4)


def test_the_time_of_all_threads_is_summed_up(tmp_path: Path) -> None:
    folder = process(tmp_path, 10, 1, "python")
    for thread, nanoseconds in ((10, 1_500_000_000), (11, 250_000)):
        (folder / "task" / str(thread)).mkdir()
        (folder / "task" / str(thread) / "schedstat").write_text(f"{nanoseconds} 77 3\n")
    assert processor_seconds(10, tmp_path) == pytest.approx(1.50025)


def test_without_the_kernel_s_finer_figures_the_clock_ticks_are_taken(tmp_path: Path) -> None:
    process(tmp_path, 10, 1, "python", "a) b (c")
    assert processor_seconds(10, tmp_path) == 400 / os.sysconf("SC_CLK_TCK")


def test_the_machine_has_a_name_and_a_core() -> None:
    machine = this_machine()
    assert machine.processor
    assert machine.cores >= 1
    assert machine.python in str(machine)


def test_without_jackd_it_is_said_what_to_install(tmp_path: Path) -> None:
    with environment(PATH=str(tmp_path)), jack_server(tmp_path) as why_not:
        assert why_not is not None
        assert "jackd2" in why_not
