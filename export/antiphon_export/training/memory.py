"""Memory that a training process keeps from step to step. It allocates none itself.

Every step needs the same large blocks. glibc gives such blocks back to the system as soon as they are free, and the
system then fills them with zeros, page by page, when they are wanted again: up to half the time of a step.
"""

from __future__ import annotations

import ctypes
import platform
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
"""Parameters of `mallopt`: https://man7.org/linux/man-pages/man3/mallopt.3.html"""


def keep_memory() -> None:
    """Make this process keep what it frees, where its C library is glibc; elsewhere nothing changes."""
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_MAX, 0)  # no block of its own for what is large: it would go back at once
    library.mallopt(_TRIM_THRESHOLD, -1)  # and nothing goes back from the end of the heap
