"""A plugin for Antiphon: three generators and an output. This module is its entry point and only registers."""

from __future__ import annotations

from antiphon import RegisterGenerator, RegisterOutput, hookimpl
from antiphon_canon import bridge, canon, trio
from antiphon_canon.datagrams import open_datagrams


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """A canon, a canon of three parts, and what fills a gap."""
    for generator in (canon, trio, bridge):
        register(generator.INFO, generator.make)


@hookimpl
def register_outputs(register: RegisterOutput) -> None:
    """Datagrams."""
    register("datagrams", "Each message as a UDP datagram to this machine.", open_datagrams)
