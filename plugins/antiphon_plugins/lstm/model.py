"""The published study's LSTM in PyTorch, for training. It never plays: what plays is an ONNX file.

At its defaults it has the study's 4,426,457 parameters.
"""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from antiphon_plugins.dropout import Dropout


class Model(nn.Module):
    """Tokens in, logits of the next token out."""

    def __init__(
        self,
        vocabulary: int = 153,
        embedding: int = 64,
        hidden: int = 512,
        layers: int = 2,
        wide: int = 1024,
        narrow: int = 512,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.settings = {
            "vocabulary": vocabulary,
            "embedding": embedding,
            "hidden": hidden,
            "layers": layers,
            "wide": wide,
            "narrow": narrow,
            "dropout": dropout,
        }
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.recurrent = nn.ModuleList(
            nn.LSTM(hidden if layer else embedding, hidden, batch_first=True) for layer in range(layers)
        )
        self.wide = nn.Linear(hidden, wide)
        self.wide_norm = nn.LayerNorm(wide)
        self.narrow = nn.Linear(wide, narrow)
        self.narrow_norm = nn.LayerNorm(narrow)
        self.decoder = nn.Linear(narrow, vocabulary)
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [B, T, vocabulary] for `tokens` [B, T], from a cold start."""
        x = self.embedding(tokens)  # [B, T, embedding]
        for layer in self.recurrent:
            x, _ = layer(x)  # [B, T, hidden]
            x = self.dropout(x)  # [B, T, hidden]
        x = self.dropout(F.relu(self.wide_norm(self.wide(x))))  # [B, T, wide]
        x = self.dropout(F.relu(self.narrow_norm(self.narrow(x))))  # [B, T, narrow]
        logits: Tensor = self.decoder(x)  # [B, T, vocabulary]
        return logits
