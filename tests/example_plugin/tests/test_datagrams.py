"""The rules every output keeps, and that what is sent arrives."""

import socket

from antiphon_canon.datagrams import Datagrams, open_datagrams

from antiphon.testing import check_output


def test_datagrams_keep_the_rules() -> None:
    assert not check_output(open_datagrams).stamps


def test_each_message_arrives_as_it_was_sent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        output = Datagrams("lights", listener.getsockname()[1])
        for message in (b"\x90\x3c\x40", b"\x80\x3c\x00"):
            output.send(message)
            assert listener.recv(100) == message
        output.close()
