"""What a run is computed with: its threads, the precision of its products, the device. It computes nothing."""

from __future__ import annotations

from typing import Literal

import torch

from antiphon.errors import AntiphonError

Precision = Literal["float32", "bfloat16"]


def fast_precision() -> Precision:
    """`bfloat16` where the machine has instructions for it (a GPU, AMX, AVX-512 BF16), else `float32`."""
    if torch.cuda.is_available():
        return "bfloat16"
    fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if fast else "float32"


def chosen_precision(text: str) -> Precision:
    """What `--precision` says. Raises AntiphonError if it is none of them."""
    if text == "bfloat16":
        return "bfloat16"
    if text == "float32":
        return "float32"
    if text == "auto":
        return fast_precision()
    raise AntiphonError(f"--precision is {text!r}; allowed: auto, bfloat16, float32")


def use_threads(count: int) -> None:
    """Compute with `count` threads; 0 leaves it to PyTorch."""
    if count:
        torch.set_num_threads(count)


def best_device() -> torch.device:
    """A GPU, if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
