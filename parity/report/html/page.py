"""Fills the template of the page."""

from __future__ import annotations

from base64 import b64encode
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from parity.report.content import Report, Weight
from parity.report.html import scatter
from parity.report.messages import labelled
from parity.report.overview import WORDS, agreement, cells, columns, gravest_first, headline, off_first, stacks_of
from parity.report.terminal import counted


def page(report: Report) -> str:
    """A report as one HTML file: the verdict, failures with their causes, numbers and plots of every contract, and the
    environment.

    Everything is in it, pictures too; it needs no network and no JavaScript.
    """
    return _template().render(
        report=report,
        headline=headline(report),
        agreement=agreement(report),
        word=WORDS[report.weight],
        columns=columns(report),
        stacks=stacks_of(report),
        contracts=off_first(report),
        grave=[remark for remark in gravest_first(report) if remark.weight is not Weight.NOTED],
        noted=[remark for remark in report.remarks if remark.weight is Weight.NOTED],
        frame=scatter,
    )


@cache
def _template() -> Template:
    """The template. It escapes everything that it is given, and a missing name is an error."""
    environment = Environment(
        loader=PackageLoader("parity.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "base64": lambda content: b64encode(content).decode(),
        "labelled": lambda message: [labelled(line) for line in message.splitlines()],
        "panels": scatter.panels,
        "cells": cells,
        "counted": counted,
    }
    return environment.get_template("report.html.j2")
