"""The Transformer that takes a note a step, in PyTorch, for training. What plays is the ONNX file made of it.

A step is read as a bag of words whose vectors are added (`antiphon.note_steps.words`). Pre-norm blocks with SwiGLU
(Shazeer, 2020, https://arxiv.org/abs/2002.05202) see the `window` steps up to themselves; half of each head's rotary
pairs (Su et al., 2021, https://arxiv.org/abs/2104.09864) turn with the steps' number, half with their real time.
Then five small heads speak in turn: time, part, pitch, velocity, length, each given what was drawn before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon.note_steps import (
    GIVEN_PART,
    GIVEN_PITCH,
    GIVEN_TIME,
    GIVEN_VELOCITY,
    GIVEN_WORDS,
    OPEN,
    PARTS,
    PITCHES,
    READ_WORDS,
    SPAN_CLASSES,
    VELOCITIES,
    turns,
)

HEADS: Final = ("time", "part", "pitch", "velocity", "length")
"""In the order in which they speak."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the heads are told of the step that is foretold, each [B, T]; -1 where there is nothing to tell."""

    time: Tensor
    part: Tensor
    pitch: Tensor
    velocity: Tensor
    given: Tensor
    """Words of its place in the bar and of how much is left, [B, T, 2]."""
    ends: Tensor
    """Classes of how long notes will sound yet when it begins, [B, T, ENDS]; -1 for none."""


@dataclass(frozen=True, slots=True)
class Logits:
    """Of each attribute, [B, T, its classes]; of lengths, the last ENDS are those of the ends told in `Drawn`."""

    time: Tensor
    part: Tensor
    pitch: Tensor
    velocity: Tensor
    length: Tensor


class Block(nn.Module):
    """Attention, then feed-forward, each on a normalised copy that is added to the stream."""

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.gate_up = nn.Linear(width, 2 * feed_forward, bias=False)
        self.down = nn.Linear(feed_forward, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, hidden: Tensor) -> Tensor:
        """Stream `x` [B, T, width]; `cos`, `sin` [B, 1, T, D/2]; `hidden` [T, T] is added to scores."""
        B, T, width = x.shape  # noqa: N806
        q, k, v = self.query_key_value(self.attention_norm(x)).view(B, T, 3, self.heads, -1).unbind(2)  # [B, T, H, D]
        q = rotate(q.transpose(1, 2), cos, sin) * q.shape[-1] ** -0.5  # [B, H, T, D]
        k = rotate(k.transpose(1, 2), cos, sin)  # [B, H, T, D]
        v = v.transpose(1, 2)  # [B, H, T, D]
        # In 16 bits on a CPU, three times as fast as PyTorch's fused attention.
        scores = torch.baddbmm(hidden.to(q.dtype), q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2))  # [B * H, T, T]
        mixed = torch.softmax(scores, dim=-1).to(v.dtype) @ v.flatten(0, 1)  # [B * H, T, D]
        mixed = mixed.view(B, self.heads, T, -1).transpose(1, 2).reshape(B, T, width)
        x = x + self.attention_out(mixed)  # [B, T, width]
        gate, up = self.gate_up(self.feed_forward_norm(x)).chunk(2, dim=-1)  # [B, T, feed_forward] each
        out: Tensor = x + self.down(F.silu(gate) * up)  # [B, T, width]
        return out


class Model(nn.Module):
    """Bags of words in, logits of every attribute of the next step out."""

    def __init__(
        self,
        window: int = 320,
        width: int = 320,
        layers: int = 6,
        heads: int = 5,
        feed_forward: int = 640,
        head_width: int = 256,
    ) -> None:
        super().__init__()
        self.settings = {
            "window": window,
            "width": width,
            "layers": layers,
            "heads": heads,
            "feed_forward": feed_forward,
            "head_width": head_width,
        }
        self.window = window
        self.head_size = width // heads
        self.head_width = head_width
        self.words = nn.EmbeddingBag(READ_WORDS, width, mode="sum", padding_idx=0)
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.state = nn.Linear(width, len(HEADS) * head_width, bias=False)
        self.given = nn.EmbeddingBag(GIVEN_WORDS, (len(HEADS) - 1) * head_width, mode="sum", padding_idx=0)
        self.ending = nn.Embedding(SPAN_CLASSES, head_width)
        sizes = (SPAN_CLASSES, PARTS, PITCHES, VELOCITIES, OPEN + 1)
        self.out = nn.ModuleDict({name: nn.Linear(head_width, size) for name, size in zip(HEADS, sizes, strict=True)})
        for name, weight in self.named_parameters():
            if name.split(".")[0] in ("words", "given", "ending"):
                nn.init.normal_(weight, std=0.3 if name.startswith("words") else 0.1)
            elif weight.ndim == 2:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
            if name.endswith(("attention_out.weight", "down.weight")):
                # So that the stream's variance does not grow with depth (Radford et al., 2019).
                nn.init.normal_(weight, std=(weight.shape[1] * 2 * layers) ** -0.5)
            elif name.startswith("out."):
                nn.init.zeros_(weight)
        with torch.no_grad():
            self.words.weight[0].zero_()
            self.given.weight[0].zero_()

    def forward(self, bags: Tensor, seconds: Tensor, drawn: Drawn) -> Logits:
        """Logits after each step of `bags` [B, T, words] at `seconds` [B, T], from a cold start."""
        return self.speak(self.listen(bags, seconds), drawn)

    def listen(self, bags: Tensor, seconds: Tensor, window: int | None = None) -> Tensor:
        """The state [B, T, heads * head_width] after each step; each sees its own `window`, if not ours."""
        B, T = bags.shape[:2]  # noqa: N806
        x = self.words(bags.flatten(0, 1)).view(B, T, -1)  # [B, T, width]
        cos, sin = rotary_tables(torch.arange(T, device=bags.device).expand(B, T), seconds, self.head_size)
        cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)  # [B, 1, T, D/2]
        hidden = causal_band(T, window or self.window, bags.device)  # [T, T]
        for block in self.blocks:
            x = block(x, cos, sin, hidden)  # [B, T, width]
        state: Tensor = self.state(self.norm(x))  # [B, T, heads * head_width]
        return state

    def speak(self, state: Tensor, drawn: Drawn) -> Logits:
        """Logits of every attribute from the `state` [B, T, heads * head_width], given those before it."""
        time, part, pitch, velocity, length = torch.split(state, self.head_width, dim=-1)  # [B, T, head_width] each
        first = torch.cat([_word(GIVEN_TIME, drawn.time).unsqueeze(-1), drawn.given], dim=-1)  # [B, T, 3]
        moment = self.given(first.flatten(0, 1)).view(*first.shape[:2], -1)  # [B, T, 4 * head_width]
        W = self.head_width  # noqa: N806
        words = self.given.weight
        of_part = F.embedding(_word(GIVEN_PART, drawn.part), words[:, W:], 0)  # [B, T, 3 * head_width]
        of_pitch = F.embedding(_word(GIVEN_PITCH, drawn.pitch), words[:, 2 * W :], 0)  # [B, T, 2 * head_width]
        of_velocity = F.embedding(_word(GIVEN_VELOCITY, drawn.velocity), words[:, 3 * W :], 0)  # [B, T, head_width]
        part = part + moment[..., :W]
        pitch = pitch + moment[..., W : 2 * W] + of_part[..., :W]
        velocity = velocity + moment[..., 2 * W : 3 * W] + of_part[..., W : 2 * W] + of_pitch[..., :W]
        length = F.gelu(length + moment[..., 3 * W :] + of_part[..., 2 * W :] + of_pitch[..., W:] + of_velocity)
        every = F.linear(length, self.ending.weight) * W**-0.5  # [B, T, SPAN_CLASSES]
        shared = every.gather(-1, drawn.ends.clamp(min=0).long())  # [B, T, ENDS]
        shared = shared.masked_fill(drawn.ends < 0, float("-inf"))
        return Logits(
            self.out["time"](F.gelu(time)),
            self.out["part"](F.gelu(part)),
            self.out["pitch"](F.gelu(pitch)),
            self.out["velocity"](F.gelu(velocity)),
            torch.cat([self.out["length"](length).float(), shared.float()], dim=-1),
        )


def _word(first: int, classes: Tensor) -> Tensor:
    """The words of `classes` from the word `first` on; no word for -1."""
    return torch.where(classes >= 0, classes + first, 0)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x` [..., T, D] with each pair (one from either half of D) turned by its position's angle."""
    first, second = x.chunk(2, dim=-1)  # [..., T, D/2] each
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def rotary_tables(index: Tensor, seconds: Tensor, head_size: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine, each [B, T, D/2], of the angle of every pair at `index` and `seconds`, both [B, T]."""
    by_index, by_second = (torch.from_numpy(turn).to(index.device) for turn in turns(head_size))  # [D/4] each
    angles = torch.cat([index.double()[..., None] * by_index, seconds.double()[..., None] * by_second], dim=-1)
    return angles.cos().float(), angles.sin().float()


def causal_band(length: int, window: int, device: torch.device) -> Tensor:
    """[T, T], 0 where key j is at or before query i and less than `window` steps away, else minus infinity."""
    position = torch.arange(length, device=device)
    distance = position[:, None] - position  # [T, T]
    seen = (distance >= 0) & (distance < window)
    return torch.zeros(length, length, device=device).masked_fill(~seen, float("-inf"))
