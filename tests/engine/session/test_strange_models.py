"""Which model files a session may open when it is played again."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.duet.plan import Plan, VoicePlan
from antiphon.errors import AntiphonError
from antiphon.session.continuation import refuse_strange_models
from antiphon.session.header import Header
from antiphon.session.journal import JournalWriter, Session, read_session


def session(folder: Path, model: str | None) -> Session:
    header = Header((Plan("one", (VoicePlan("markov", model=model),)),), ("virtual",), {}, "2026-03-01T20:15:00")
    JournalWriter(folder, header).close()
    return read_session(folder)


def test_a_model_file_that_the_user_does_not_know_is_not_opened(tmp_path: Path) -> None:
    strange = session(tmp_path / "session", str(tmp_path / "elsewhere" / "model.onnx"))
    with pytest.raises(AntiphonError, match=r"elsewhere/model\.onnx', which you have not installed; .*--model"):
        refuse_strange_models(strange)


@pytest.mark.parametrize("model", [None, "grid", "session/model.onnx"])
def test_an_installed_model_and_one_beside_the_session_are_known(model: str | None, tmp_path: Path) -> None:
    path = model if model is None or "/" not in model else str(tmp_path / model)
    refuse_strange_models(session(tmp_path / "session", path))


def test_what_is_named_is_known(tmp_path: Path) -> None:
    model = str(tmp_path / "model.onnx")
    refuse_strange_models(session(tmp_path / "session", model), [model])


def test_a_session_of_ones_own_opens_what_it_was_played_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.session.journal.user_data_path", lambda _: tmp_path)
    refuse_strange_models(session(tmp_path / "sessions" / "today", "/elsewhere/model.onnx"))


def test_a_new_session_is_its_users_alone(tmp_path: Path) -> None:
    assert session(tmp_path / "session", None).folder.stat().st_mode & 0o777 == 0o700
