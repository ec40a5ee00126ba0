"""What a training run can begin with: the weights of a checkpoint or of a model file. It trains nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from torch import nn

from antiphon.errors import AntiphonError
from antiphon.plugins.models import find_model
from antiphon_export.training.architectures import restored_model
from antiphon_export.training.run_folder import load_checkpoint

_FREE: Final = frozenset(("window", "dropout"))
"""Settings in which a run may differ from what it begins with: no weight depends on them."""


def find_start(text: str) -> Path:
    """The file that `--from` means: a checkpoint, or a model file by path or by a name that `antiphon models` lists.

    Raises:
        ModelError: there is no model of that name, or more than one.
    """
    path = Path(text).expanduser()
    return path if path.is_file() or path.suffix == ".pt" else find_model(text)


def begin_with(path: Path, model: nn.Module, architecture: str) -> None:
    """Give `model` the weights in `path`.

    Raises:
        AntiphonError: `path` holds none, or those of a model of another architecture or with other settings.
    """
    # Here, because onnx takes a while to import.
    from antiphon_export.exporting.way_back import read_model_file

    earlier = read_model_file(path) if path.suffix == ".onnx" else load_checkpoint(path)
    wanted = cast(dict[str, Any], model.settings)
    if (earlier["architecture"], _shape(earlier["settings"])) != (architecture, _shape(wanted)):
        raise AntiphonError(
            f"{str(path)!r} holds a {earlier['architecture']} with {earlier['settings']}, which does not fit "
            f"a {architecture} with {wanted}; give the options that it was trained with"
        )
    model.load_state_dict(restored_model(earlier).state_dict())


def _shape(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in _FREE}
