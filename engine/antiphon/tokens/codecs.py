"""The codecs of tokens there are, by the names that model files give them."""

from __future__ import annotations

from antiphon.errors import AntiphonError
from antiphon.tokens.codec import Codec
from antiphon.tokens.grid_codec import GridCodec
from antiphon.tokens.performance_codec import PerformanceCodec


def codec_named(name: str, *, bar_ticks: int = 1920, tempo_bpm: float = 120.0) -> Codec:
    """The codec that model files call `name`, for music with this metre or tempo, whichever matters to it.

    Raises:
        AntiphonError: there is no such codec.
    """
    if name == GridCodec.name:
        return GridCodec(bar_ticks=bar_ticks)
    if name == PerformanceCodec.name:
        return PerformanceCodec(tempo_bpm=tempo_bpm)
    raise AntiphonError(f"codec is {name!r}; allowed: {GridCodec.name!r}, {PerformanceCodec.name!r}")
