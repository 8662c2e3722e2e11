"""A report as one HTML file that needs no network and no JavaScript."""

from __future__ import annotations

from parity.report.html.page import page

__all__ = ["page"]
