"""The page as text: what is on it, in which order, and that nothing in a message is taken for markup."""

import base64
from html.parser import HTMLParser
from typing import Any

import pytest

from parity.report.content import Picture, Place, Remark, Weight
from parity.report.html import page

VOID = {"meta", "link", "img"}


class Elements(HTMLParser):
    """Every element with its attributes; fails where one is not closed, or an id is given twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []
        ids = [a["id"] for _, a in self.found if "id" in a]
        assert len(ids) == len(set(ids))
        links = {str(a["href"])[1:] for tag, a in self.found if tag == "a"}
        assert links <= set(ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_verdict_comes_first(report: Any, held: Any) -> None:
    text = page(report(held(), held("losses.poisson_nll", torch=3.0)))
    verdict = "1 of 2 contracts does not agree: losses.poisson_nll"
    assert f"<title>{verdict} – parity run</title>" in text
    body = text.partition("<body>")[2]
    assert body.index(f"<h1>{verdict}</h1>") < body.index("<main>")
    assert body.index('id="losses.poisson_nll"') < body.index('id="contracts"') < body.index('id="losses.mae"')
    assert "parity run losses</code>" in body


def test_a_failure_has_its_message_its_cause_its_stages_and_its_pictures(report: Any, held: Any) -> None:
    message = "losses.mae: torch disagrees\n  far off\n  cause: torch: squared\n  reproduce: parity run losses.mae"
    failed = held(torch=3.0, message=message, stages="a\n  tree", pictures=(Picture("what is off", b"PNG"),))
    text = page(report(failed))
    elements = Elements(text)
    assert "<h3>losses.mae: torch disagrees</h3>" in text
    assert '<p class="cause"><span class="label">cause</span><strong>torch: squared</strong></p>' in text
    assert '<span class="label">reproduce</span><code>parity run losses.mae</code>' in text
    assert "<pre>a\n  tree</pre>" in text
    (picture,) = elements.of("img")
    assert picture["src"] == f"data:image/png;base64,{base64.b64encode(b'PNG').decode()}"
    assert str(picture["alt"]).startswith("what is off")


def test_what_is_missing_is_said(report: Any, held: Any) -> None:
    assert "Not shown: matplotlib is not installed" in page(
        report(held(torch=3.0, not_shown="matplotlib is not installed"))
    )


def test_every_contract_has_plots_with_words_for_who_does_not_see_them(report: Any, held: Any) -> None:
    elements = Elements(page(report(held(), held("losses.poisson_nll", torch=3.0))))
    plots = [a for a in elements.of("svg") if a.get("class") == "plot"]
    assert len(plots) == 4
    assert all(a["role"] == "img" and str(a["aria-label"]).startswith("Error of losses.") for a in plots)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "agree"),
        ({"remarks": (Remark(Weight.NOTED, "a", "b"),)}, "agree"),
        ({"remarks": (Remark(Weight.FAILED, "a", "b"),)}, "disagree"),
        ({"remarks": (Remark(Weight.NOT_CHECKED, "a", "b"),)}, "not-checked"),
    ],
)
def test_the_whole_looks_as_it_is(report: Any, fields: dict[str, Any], word: str) -> None:
    assert Elements(page(report(**fields))).of("header") == [{"class": word}]


def test_nothing_is_taken_for_markup(report: Any, held: Any) -> None:
    evil = '</pre><script>alert("1")</script>{{ 7 * 7 }}&amp;'
    failed = held(torch=3.0, message=evil, stages=evil, not_shown=evil, reason=evil, places=(Place(evil, 1),))
    text = page(
        report(failed, environment={evil: evil}, remarks=(Remark(Weight.FAILED, evil, evil, (Place(evil, 2),)),))
    )
    Elements(text)
    assert "<script" not in text
    assert "49" not in text.partition("<h1>")[2].partition("<nav")[0]


def test_one_file_without_anything_from_elsewhere(report: Any, held: Any, drawing: bytes) -> None:
    elements = Elements(page(report(held(torch=3.0, pictures=(Picture("it", drawing),)))))
    given = [str(a[name]) for _, a in elements.found for name in ("src", "href") if name in a]
    assert all(address.startswith(("data:", "#")) for address in given)
    assert elements.of("script") == []


def test_nothing_was_tried(report: Any) -> None:
    from parity.report.content import Report

    text = page(Report("parity check", "", ()))
    Elements(text)
    assert "<h1>no contract was tried</h1>" in text


def test_why_a_contract_was_asked(report: Any, held: Any) -> None:
    text = page(report(held(reason="its oracle changed", places=(Place("parity/physics/oracle/losses.py", 7),))))
    assert "Asked because: its oracle changed, <code>parity/physics/oracle/losses.py:7</code>" in text
