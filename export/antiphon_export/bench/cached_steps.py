"""The study's Transformer in eager PyTorch, a token at a time, as quick as it can be written. It never plays."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor

from antiphon_plugins.study_transformer.model import Block, Model


class CachedSteps:
    """Keys and values are written in place, only what is there is looked at, and nothing is computed twice."""

    def __init__(self, model: Model, capacity: int) -> None:
        """`capacity`: most tokens; this is no ring."""
        self.position = 0
        """Tokens fed so far; it may be set back."""
        self._model = model
        self._layers = [_Layer(block, capacity) for block in model.blocks if isinstance(block, Block)]

    @torch.inference_mode()
    def feed(self, token: int) -> Tensor:
        """Logits [V] after `token`."""
        x = self._model.embedding.weight[token][None]  # [1, width]
        below: Tensor | float = 0.0
        for layer in self._layers:
            x, below = layer.feed(x, below, self.position)  # [1, width], [H, n]
        self.position += 1
        logits: Tensor = self._model.decoder(x)[0]  # [V]
        return logits


class _Layer:
    """A block, its three projections joined, with its cache."""

    def __init__(self, block: Block, capacity: int) -> None:
        attention = block.attention
        self._block = block
        self._capacity = capacity
        self._heads, self._head_size = attention.heads, attention.relative.shape[1]
        parts = (attention.query, attention.key, attention.value)
        with torch.no_grad():
            self._weight = torch.cat([part.weight for part in parts])  # [3 * width, width]
            self._bias = torch.cat([part.bias for part in parts])  # [3 * width]
            width = attention.query.out_features
            self._weight[:width] *= self._head_size**-0.5
            self._bias[:width] *= self._head_size**-0.5
            distance = torch.arange(capacity - 1, -1, -1).clamp(max=len(attention.relative) - 1)  # [S]
            self._relative = attention.relative[distance]  # [S, D]: the last row is for distance 0
        self._keys = torch.zeros(self._heads, capacity, self._head_size)  # [H, S, D]
        self._values = torch.zeros_like(self._keys)  # [H, S, D]

    def feed(self, x: Tensor, below: Tensor | float, position: int) -> tuple[Tensor, Tensor]:
        """Stream `x` [1, width] and the scores of the layer `below` [H, n] -> the same of this layer; n tokens seen."""
        seen = position + 1
        q, k, v = F.linear(x, self._weight, self._bias).view(3, self._heads, self._head_size)  # [H, D] each
        self._keys[:, position] = k
        self._values[:, position] = v
        bias = q @ self._relative[self._capacity - seen :].T + below  # [H, n]
        keys = self._keys[:, :seen].transpose(1, 2)  # [H, D, n]
        scores = torch.baddbmm(bias[:, None], q[:, None], keys)  # [H, 1, n]
        mixed = torch.bmm(torch.softmax(scores, dim=-1), self._values[:, :seen])  # [H, 1, D]
        block = self._block
        x = block.attention_norm(x + block.attention.out(mixed.view(1, -1)))  # [1, width]
        x = block.feed_forward_norm(x + block.down(F.relu(block.up(x))))  # [1, width]
        return x, scores[:, 0]
