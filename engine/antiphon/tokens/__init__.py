"""Music as tokens, and the generator made of a codec and a model that reads tokens: a public door.

What it hands on is loaded when it is first used, so that a plugin may import `TOKEN_CONTROLS` while it is only listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.lazy import lazily

if TYPE_CHECKING:
    from antiphon.models.card import ModelCard, ModelError
    from antiphon.models.loading import load_model
    from antiphon.models.step_model import StepModel
    from antiphon.music.note_rows import NoteRows
    from antiphon.tokens.codec import Codec, Tokens, Writer
    from antiphon.tokens.codecs import codec_named
    from antiphon.tokens.controls import TOKEN_CONTROLS
    from antiphon.tokens.generator import CodecFor, TokenGenerator
    from antiphon.tokens.grid_tokens import nearest_step
    from antiphon.tokens.kinds import TokenKinds
    from antiphon.tokens.making import make_token_player
    from antiphon.tokens.sampler import uniform
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "antiphon.models.card": (
                "ModelCard",
                "ModelError",
            ),
            "antiphon.models.loading": ("load_model",),
            "antiphon.models.step_model": ("StepModel",),
            "antiphon.music.note_rows": ("NoteRows",),
            "antiphon.tokens.codec": (
                "Codec",
                "Tokens",
                "Writer",
            ),
            "antiphon.tokens.codecs": ("codec_named",),
            "antiphon.tokens.controls": ("TOKEN_CONTROLS",),
            "antiphon.tokens.generator": (
                "CodecFor",
                "TokenGenerator",
            ),
            "antiphon.tokens.grid_tokens": ("nearest_step",),
            "antiphon.tokens.kinds": ("TokenKinds",),
            "antiphon.tokens.making": ("make_token_player",),
            "antiphon.tokens.sampler": ("uniform",),
        },
    )

__all__ = [
    "TOKEN_CONTROLS",
    "Codec",
    "CodecFor",
    "ModelCard",
    "ModelError",
    "NoteRows",
    "StepModel",
    "TokenGenerator",
    "TokenKinds",
    "Tokens",
    "Writer",
    "codec_named",
    "load_model",
    "make_token_player",
    "nearest_step",
    "uniform",
]
