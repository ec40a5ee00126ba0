"""The published study's Transformer in PyTorch, to be measured against. It never plays: what plays is an ONNX file.

Post-norm blocks whose attention adds a learned vector for each distance (Shaw et al., 2018; the skew of Huang et al.,
2018, https://arxiv.org/abs/1809.04281) and the scores of the layer below (RealFormer: He et al., 2021,
https://arxiv.org/abs/2012.11747). At its defaults it has the study's 4,326,041 parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon_plugins.dropout import Dropout

_ROWS: Final = 64
"""Tokens whose scores are computed together: no keys after the last of them, and so few that a cache holds them."""


class Attention(nn.Module):
    """Heads that share one learned vector for each distance; whatever lies farther shares the last one."""

    def __init__(self, width: int, heads: int, distances: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative = nn.Parameter(torch.randn(distances, width // heads))  # row d: d tokens back
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        for linear in (self.query, self.key, self.value, self.out):
            nn.init.xavier_normal_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, below: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Stream `x` [B, T, width], scores of the layer `below` -> what is added to it, own scores.

        Scores come in blocks [B * H, R, W]: of R tokens with the W up to the last of them. What must not be seen is
        -inf in `below`, and so stays -inf all the way up.
        """
        B, T, width = x.shape  # noqa: N806
        q, k, v = (self._by_head(linear(x)) for linear in (self.query, self.key, self.value))  # [B * H, T, D] each
        q = q * q.shape[-1] ** -0.5  # [B * H, T, D]
        by_column = self._by_column(T)  # [T + 1, D]
        mixed, scores = [], []
        for block in below:
            R, W = block.shape[-2:]  # noqa: N806
            rows = q[:, W - R : W]  # [B * H, R, D]
            bias = skewed(rows @ by_column[T - W :].T) + block.to(q.dtype)  # [B * H, R, W]
            own = torch.baddbmm(bias, rows, k[:, :W].transpose(1, 2))  # [B * H, R, W]
            mixed.append(torch.softmax(own, dim=-1) @ v[:, :W])  # [B * H, R, D]
            scores.append(own)
        together = torch.cat(mixed, dim=1).view(B, self.heads, T, -1).transpose(1, 2)  # [B, T, H, D]
        return self.out(together.reshape(B, T, width)), scores  # [B, T, width]

    def _by_head(self, x: Tensor) -> Tensor:
        """[B, T, width] -> [B * H, T, D]."""
        B, T, _ = x.shape  # noqa: N806
        return x.view(B, T, self.heads, -1).transpose(1, 2).reshape(B * self.heads, T, -1)

    def _by_column(self, length: int) -> Tensor:
        """[T + 1, D]: the vectors of distances T down to 0, of which T is there for the skew alone."""
        distance = torch.arange(length, -1, -1, device=self.relative.device)  # [T + 1]
        return self.relative[distance.clamp(max=len(self.relative) - 1)]  # [T + 1, D]


class Block(nn.Module):
    """Attention, then feed-forward, each added to the stream, which is normalised after that."""

    def __init__(self, width: int, heads: int, feed_forward: int, distances: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, distances)
        self.attention_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, feed_forward)
        self.down = nn.Linear(feed_forward, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, below: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Stream `x` [B, T, width] and the scores of the layer `below` -> the same of this layer."""
        attended, scores = self.attention(x, below)  # [B, T, width]
        x = self.attention_norm(x + self.dropout(attended))  # [B, T, width]
        expanded = F.relu(self.up(x))  # [B, T, feed_forward]
        return self.feed_forward_norm(x + self.dropout(self.down(expanded))), scores  # [B, T, width]


class Model(nn.Module):
    """Tokens in, logits of the next token out."""

    def __init__(
        self,
        vocabulary: int = 153,
        width: int = 256,
        layers: int = 8,
        heads: int = 16,
        feed_forward: int = 512,
        distances: int = 240,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.settings = {
            "vocabulary": vocabulary,
            "width": width,
            "layers": layers,
            "heads": heads,
            "feed_forward": feed_forward,
            "distances": distances,
            "dropout": dropout,
        }
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward, distances, dropout) for _ in range(layers))
        self.decoder = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor, window: int | None = None) -> Tensor:
        """Logits [B, T, vocabulary] for `tokens` [B, T], from a cold start.

        With a `window`, a token sees that many tokens up to itself, as it does while a ring plays.
        """
        x = self.embedding(tokens)  # [B, T, width]
        mask = band(tokens.shape[1], window, tokens.device)  # [T, T]
        scores = [mask[start : start + _ROWS, : start + _ROWS] for start in range(0, len(mask), _ROWS)]
        for block in self.blocks:
            x, scores = block(x, scores)  # [B, T, width]
        logits: Tensor = self.decoder(x)  # [B, T, vocabulary]
        return logits


def skewed(by_column: Tensor) -> Tensor:
    """[..., R, W + 1], column c for distance W - c -> [..., R, W], column j of row i for distance W - R + i - j.

    What lies after the token itself is meaningless. A view: the rows are read one element apart.
    """
    *outer, R, columns = by_column.shape  # noqa: N806
    return by_column.flatten(-2)[..., R:].view(*outer, R, columns - 1)


def band(length: int, window: int | None, device: torch.device) -> Tensor:
    """[T, T]: 0 where key j is at or before query i and less than `window` tokens away, -inf elsewhere."""
    position = torch.arange(length, device=device)
    distance = position[:, None] - position  # [T, T]
    visible = (distance >= 0) & (distance < (window or length))
    return torch.where(visible, 0.0, float("-inf"))
