"""The steps that are timed are real ones: they learn the windows that they are made on."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import AntiphonError
from antiphon_export.bench import training
from antiphon_export.bench.training import own_step, study_step

CODE = """
import fire, torch, utils

class Model(utils.ModelBase):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(self.data_fmt.EVENT_COUNT, self.data_fmt.EVENT_COUNT)

    def forward(self, x, sequence=False):
        return self.table(x if sequence else x[..., -1])

def train():
    utils.train(Model())

if __name__ == "__main__":
    fire.Fire(train)
"""


@pytest.fixture(autouse=True)
def _small_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "BATCH", (2, 12))
    monkeypatch.setattr(training, "keep_memory", lambda: None)  # it is for a process of its own


def test_the_study_s_code_learns(tmp_path: Path) -> None:
    (tmp_path / "transformer.py").write_text(CODE)
    step = study_step(tmp_path)
    before, *_, after = [step() for _ in range(20)]
    assert after < before - 0.1


def test_ours_learns() -> None:
    step = own_step("float32")
    before, *_, after = [step() for _ in range(9)]
    assert after < before - 0.1


def test_a_folder_without_the_study_s_code_is_named(tmp_path: Path) -> None:
    with pytest.raises(AntiphonError, match=r"has no transformer\.py; clone https://github"):
        study_step(tmp_path)
