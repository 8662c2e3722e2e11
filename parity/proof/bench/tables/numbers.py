"""Columns of numbers."""

from __future__ import annotations

from rich.table import Table

from parity.report.terminal import bare_table


def numbers_table(first: str, *others: str) -> Table:
    """A table whose first column is words and whose others are numbers."""
    table = bare_table(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def milliseconds(seconds: float) -> str:
    """To three digits, however large or small."""
    return f"{1000 * seconds:,.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"
