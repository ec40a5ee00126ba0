"""A plugin for Antiphon: the generator `canon`. This module is its entry point and only registers."""

from __future__ import annotations

from antiphon import hookimpl
from antiphon.generator import RegisterGenerator
from antiphon_canon.canon import INFO, make


@hookimpl
def register_generators(register: RegisterGenerator) -> None:
    """Canon."""
    register(INFO, make)
