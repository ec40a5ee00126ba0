"""What a benchmark prints: its machine and its rows, as a table or as JSON. It measures nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from antiphon_export.bench.figures import Row, as_data, table, verdicts
from antiphon_export.bench.machine import Machine


def report(machine: Machine, rows: Sequence[Row], *, quick: bool, as_json: bool, **extent: float) -> str:
    """The text; `extent`, how thoroughly was measured, is for JSON alone."""
    if as_json:
        return json.dumps({"machine": asdict(machine), "quick": quick, **extent, "rows": as_data(rows)}, indent=2)
    warning = ["QUICK: few values; do not quote these figures"] if quick else []
    return "\n".join([str(machine), *warning, *table(rows), verdicts(rows)])
