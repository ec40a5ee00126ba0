"""An output that a plugin brings, held to the contract: whatever it raises, the show goes on."""

from __future__ import annotations

import contextlib

from antiphon.errors import AntiphonError
from antiphon.output import OpenOutput, OutputPort, PortGone


def open_plugged_in(name: str, open_output: OpenOutput) -> OutputPort:
    """An output of the kind `name`. Raises AntiphonError if it cannot be opened, or is none."""
    try:
        port = open_output(name)
    except AntiphonError:
        raise
    except Exception as error:  # A plugin may raise anything at all.
        raise AntiphonError(f"output {name!r} cannot be opened: {type(error).__name__}: {error}") from error
    missing = [attribute for attribute in ("name", "stamps", "send", "close") if not hasattr(port, attribute)]
    if missing:
        text = f"output {name!r} is a {type(port).__name__}, which has no {' and no '.join(missing)}"
        raise AntiphonError(f"{text}; ask who brought it for an `antiphon.OutputPort`")
    return _PluggedIn(port)


class _PluggedIn:
    """Passes messages on; one that its plugin fails to send means that the port is gone."""

    def __init__(self, port: OutputPort) -> None:
        self.name = str(port.name)
        self.stamps = bool(port.stamps)
        self._port = port

    def send(self, message: bytes, at_seconds: float | None = None) -> None:
        try:
            self._port.send(message, at_seconds)
        except AntiphonError:
            raise
        except Exception as error:  # As above.
            raise PortGone(f"output {self.name!r}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        with contextlib.suppress(Exception):  # It is let go whatever it says.
            self._port.close()
