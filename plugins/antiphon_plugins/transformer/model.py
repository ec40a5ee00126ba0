"""The Transformer in PyTorch, for training. It never plays: what plays is the ONNX file made of it.

Pre-norm blocks with rotary positions (Su et al., 2021, https://arxiv.org/abs/2104.09864), SwiGLU feed-forward
(Shazeer, 2020, https://arxiv.org/abs/2002.05202), and one matrix for embedding and output (Press and Wolf, 2017).
A token sees the `window` tokens up to itself: the band that a ring of keys and values keeps while playing.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon_plugins.dropout import Dropout

ROTARY_BASE = 10000.0
"""Longest wavelength of the rotary positions, in tokens, over 2 pi."""


class Block(nn.Module):
    """Attention, then feed-forward, each on a normalised copy that is added to the stream."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.gate_up = nn.Linear(width, 2 * feed_forward, bias=False)
        self.down = nn.Linear(feed_forward, width, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, band: Tensor | None) -> Tensor:
        """Stream `x` [B, T, width]; `cos`, `sin` [T, D/2]; `band` [T, T] is True where attention may go."""
        B, T, width = x.shape  # noqa: N806
        q, k, v = self.query_key_value(self.attention_norm(x)).view(B, T, 3, self.heads, -1).unbind(2)  # [B, T, H, D]
        q = rotate(q.transpose(1, 2), cos, sin)  # [B, H, T, D]
        k = rotate(k.transpose(1, 2), cos, sin)  # [B, H, T, D]
        v = v.transpose(1, 2)  # [B, H, T, D]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=band, is_causal=band is None)  # [B, H, T, D]
        mixed = mixed.transpose(1, 2).reshape(B, T, width)  # [B, T, width]
        x = x + self.dropout(self.attention_out(mixed))  # [B, T, width]
        gate, up = self.gate_up(self.feed_forward_norm(x)).chunk(2, dim=-1)  # [B, T, feed_forward] each
        out: Tensor = x + self.dropout(self.down(F.silu(gate) * up))  # [B, T, width]
        return out


class Model(nn.Module):
    """Tokens in, logits of the next token out."""

    def __init__(
        self,
        vocabulary: int,
        window: int = 512,
        width: int = 256,
        layers: int = 6,
        heads: int = 4,
        feed_forward: int = 512,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.settings = {
            "vocabulary": vocabulary,
            "window": window,
            "width": width,
            "layers": layers,
            "heads": heads,
            "feed_forward": feed_forward,
            "dropout": dropout,
        }
        self.window = window
        self.head_size = width // heads
        self.embedding = nn.Embedding(vocabulary, width)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        for name, weight in self.named_parameters():
            if weight.ndim == 2 and not name.startswith("embedding"):
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
            if name.endswith(("attention_out.weight", "down.weight")):
                # So that the stream's variance does not grow with depth (Radford et al., 2019).
                nn.init.normal_(weight, std=(weight.shape[1] * 2 * layers) ** -0.5)

    def forward(self, tokens: Tensor, window: int | None = None) -> Tensor:
        """Logits [B, T, vocabulary] for `tokens` [B, T], from a cold start; each sees its own `window`, if not ours."""
        T, window = tokens.shape[1], window or self.window  # noqa: N806
        x = self.dropout(self.embedding(tokens) * self.embedding.embedding_dim**0.5)  # [B, T, width]
        cos, sin = rotary_tables(torch.arange(T, device=tokens.device), self.head_size)  # [T, D/2] each
        cos, sin = cos.to(x.dtype), sin.to(x.dtype)
        band = None if window >= T else causal_band(T, window, tokens.device)  # [T, T]
        for block in self.blocks:
            x = block(x, cos, sin, band)  # [B, T, width]
        return F.linear(self.norm(x), self.embedding.weight)  # [B, T, vocabulary]


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` [..., T, D] with each pair (one from either half of D) turned by its position's angle."""
    first, second = x.chunk(2, dim=-1)  # [..., T, D/2] each
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)


def rotary_tables(positions: Tensor, head_size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine, each [T, D/2], of the angle of every pair at every one of `positions` [T]."""
    exponent = torch.arange(0, head_size, 2, device=positions.device, dtype=torch.float64) / head_size
    angles = positions.double()[:, None] * ROTARY_BASE**-exponent  # [T, D/2]
    return angles.cos().float(), angles.sin().float()


def causal_band(length: int, window: int, device: torch.device) -> Tensor:
    """[T, T], True where key j is at or before query i and less than `window` tokens away."""
    position = torch.arange(length, device=device)
    distance = position[:, None] - position  # [T, T]
    return (distance >= 0) & (distance < window)
