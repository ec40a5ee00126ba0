"""A plugin for Antiphon: three generators. This module is its entry point and only registers."""

from __future__ import annotations

from antiphon import RegisterGenerator, hookimpl
from antiphon_canon import bridge, canon, trio


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """A canon, a canon of three parts, and what fills a gap."""
    for generator in (canon, trio, bridge):
        register(generator.INFO, generator.make)
