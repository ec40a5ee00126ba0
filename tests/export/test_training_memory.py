"""What a training process does with memory that it frees."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
from antiphon_export.training.memory import keep_memory

def faults_of_a_large_block():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = b"x" * 2**26
    del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults_of_a_large_block()
given_back = faults_of_a_large_block()
keep_memory()
faults_of_a_large_block()
print(given_back, faults_of_a_large_block())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the parameters that this sets")
def test_a_large_block_that_was_freed_is_not_fetched_from_the_system_again() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    given_back, kept = map(int, ran.stdout.split())
    assert kept * 10 < given_back, "pages that the system had to fill with zeros"
