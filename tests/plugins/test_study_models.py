"""The published study's models: their size, what a token may see, and the attention written out in full."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from antiphon_plugins.lstm.model import Model as Lstm
from antiphon_plugins.study_transformer import model as study_model
from antiphon_plugins.study_transformer.model import Attention, Block
from antiphon_plugins.study_transformer.model import Model as StudyTransformer

TINY = {"vocabulary": 11, "width": 16, "layers": 2, "heads": 4, "feed_forward": 24, "distances": 5}


def parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def test_both_have_the_study_s_numbers_of_parameters() -> None:
    assert parameters(Lstm()) == 4_426_457
    assert parameters(StudyTransformer()) == 4_326_041


@pytest.mark.parametrize("model", [Lstm(vocabulary=7, hidden=8), StudyTransformer(**TINY)], ids=["lstm", "transformer"])
def test_a_model_can_be_made_again_from_its_settings(model: Lstm | StudyTransformer) -> None:
    again = type(model)(**model.settings)
    again.load_state_dict(model.state_dict())
    tokens = torch.arange(6)[None] % 7
    assert torch.equal(model.eval()(tokens), again.eval()(tokens))


def attention_in_full(attention: Attention, x: Tensor, below: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Attention of one sequence `x` [T, width], score by score; `below` [H, T, T] holds no mask."""
    T, width = x.shape  # noqa: N806
    D = width // attention.heads  # noqa: N806
    q, k, v = (linear(x).view(T, attention.heads, D) for linear in (attention.query, attention.key, attention.value))
    scores = below.clone()
    mixed = torch.zeros(T, attention.heads, D)
    for head in range(attention.heads):
        for i in range(T):
            for j in range(T):
                vector = attention.relative[min(max(i - j, 0), len(attention.relative) - 1)]
                scores[head, i, j] += q[i, head] @ (k[j, head] + vector) / D**0.5
            seen = range(max(0, i - window + 1), i + 1)
            shares = scores[head, i, list(seen)].softmax(-1)
            mixed[i, head] = sum(share * v[j, head] for share, j in zip(shares, seen, strict=True))
    return attention.out(mixed.reshape(T, width)), scores


@pytest.mark.parametrize("rows", [64, 4, 2])
@pytest.mark.parametrize("window", [9, 4])
def test_attention_is_what_the_study_describes(window: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_model, "_ROWS", rows)
    torch.manual_seed(3)
    model = StudyTransformer(**TINY).eval()
    tokens = torch.randint(11, (1, 9))  # more than there are distances
    with torch.no_grad():
        x = model.embedding(tokens)[0]
        scores = torch.zeros(4, 9, 9)
        for block in model.blocks:
            assert isinstance(block, Block)
            attended, scores = attention_in_full(block.attention, x, scores, window)
            x = block.attention_norm(x + attended)
            x = block.feed_forward_norm(x + block.down(block.up(x).relu()))
        assert torch.allclose(model(tokens, window=window)[0], model.decoder(x), atol=1e-5)


def test_a_window_that_holds_everything_changes_nothing() -> None:
    model = StudyTransformer(**TINY).eval()
    tokens = torch.randint(11, (2, 8))
    assert torch.equal(model(tokens), model(tokens, window=8))
    assert not torch.allclose(model(tokens), model(tokens, window=7))


@pytest.mark.parametrize(
    "model", [Lstm(vocabulary=11, hidden=8), StudyTransformer(**TINY)], ids=["lstm", "transformer"]
)
def test_no_token_sees_what_comes_after_it(model: nn.Module) -> None:
    tokens = torch.randint(11, (1, 8))
    changed = tokens.clone()
    changed[0, 5:] = (changed[0, 5:] + 1) % 11
    before, after = model.eval()(tokens), model(changed)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-6)
    assert not torch.allclose(before[:, 5:], after[:, 5:])


@pytest.mark.parametrize(
    "model", [Lstm(vocabulary=11, hidden=8), StudyTransformer(**TINY)], ids=["lstm", "transformer"]
)
def test_every_weight_learns(model: nn.Module) -> None:
    tokens = torch.randint(11, (2, 8))
    model.train()(tokens).square().sum().backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()] == []
