"""The written forms of a report, side by side in one folder."""

from __future__ import annotations

from pathlib import Path

from parity.report.content import Report
from parity.report.html import page
from parity.report.junit import junit
from parity.report.markdown import summary
from ptycho_exposures.files import write_atomically

PAGE, SUMMARY, JUNIT = "report.html", "report.md", "junit.xml"


def write_forms(folder: Path, report: Report) -> list[Path]:
    """Write a report as HTML, Markdown and JUnit XML, and return the paths of the files.

    Each file is there whole or not at all. Raises OSError naming the file that cannot be written.
    """
    forms = {
        folder / PAGE: page(report).encode(errors="replace"),
        folder / SUMMARY: summary(report).encode(errors="replace"),
        folder / JUNIT: junit(report),
    }
    for path, content in forms.items():
        try:
            write_atomically(path, content)
        except OSError as error:
            raise OSError(f"{path}: expected to write the report there, got: {error.strerror or error}") from error
    return list(forms)
