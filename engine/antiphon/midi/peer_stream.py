"""What one peer of a socket port sends, cut into messages. It opens no socket."""

from __future__ import annotations

from typing import Final

_LONGEST_UNFINISHED: Final = 1 << 20


class PeerStream:
    """Bytes of one peer, in any pieces."""

    def __init__(self, hand: str) -> None:
        """`hand`: who holds what the peer presses."""
        from mido.tokenizer import Tokenizer  # Not on the path of who opens no socket port.

        self.hand = hand
        self._tokenizer = Tokenizer()
        self._unfinished = 0
        """Bytes since the last message that was whole."""

    @property
    def endless(self) -> bool:
        """Whether a message has gone on for 1 MiB without an end."""
        return self._unfinished > _LONGEST_UNFINISHED

    def read(self, data: bytes) -> list[bytes]:
        """The messages that are whole now."""
        self._tokenizer.feed(data)
        messages = [bytes(message) for message in self._tokenizer]
        self._unfinished = 0 if messages else self._unfinished + len(data)
        return messages
