"""The page in a real browser: on a screen and a phone, light and dark, without scripts and without a network.

Left out only where the machine has no Chromium: playwright drives the one that is installed, and brings none along.
"""

import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api

from parity.report.content import Picture, Remark, Weight
from parity.report.writing import PAGE, write_forms
from tests import skips

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason=skips.BROWSER.reason)

CONTRAST = """
() => {
  const luminance = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number)
      .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [...document.querySelectorAll("body *")].filter(e => !e.closest("svg"))
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  return texts.map(e => {
    const [a, b] = [getComputedStyle(e).color, behind(e)].map(luminance).sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 80)];
  }).sort((x, y) => x[0] - y[0])[0];
}
"""
"""The least contrast of any text with what is behind it, and whose that is."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # As root, as in a container, Chromium starts without its sandbox or not at all.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        yield started
        started.close()


@pytest.fixture
def address(report: Any, held: Any, drawing: bytes, tmp_path: Path) -> str:
    """A page with everything on it, its lines as long as they come."""
    failed = held(
        torch=3e7,
        stages="\n".join(["a stage " * 15] * 9),
        pictures=(Picture("what is off", drawing), Picture("and that too", drawing)),
    )
    remarks = tuple(Remark(weight, f"remark {weight}", "text " * 40) for weight in Weight)
    environment = {"platform": "Linux-" + "x" * 200}
    made = report(failed, held("optics.far_field_amplitude"), remarks=remarks, environment=environment)
    write_forms(tmp_path, made)
    return (tmp_path / PAGE).as_uri()


def opened(browser: Any, address: str, said: list[str], **options: Any) -> Any:
    """The page, without a network; what the browser complains of is added to `said`."""
    shown = browser.new_context(offline=True, **options).new_page()
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("requestfailed", lambda request: said.append(request.url[:100]))
    shown.on("request", lambda r: said.append(r.url[:100]) if not r.url.startswith(("file:", "data:")) else None)
    shown.goto(address)
    return shown


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_is_read_with_ease_and_shows_its_pictures(browser: Any, address: str, width: int, scheme: str) -> None:
    said: list[str] = []
    shown = opened(browser, address, said, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    images = shown.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth, i.alt.length])")
    assert images == [[True, 360, images[0][2]], [True, 360, images[1][2]]]
    assert all(alt > 10 for _, _, alt in images)
    plots = shown.evaluate("[...document.querySelectorAll('svg.plot')].map(s => s.getBoundingClientRect().width)")
    assert len(plots) == 4
    assert all(200 < drawn <= width for drawn in plots)
    contrast, whose = shown.evaluate(CONTRAST)
    assert contrast >= 4.5, whose
    assert said == []


def test_tables_scroll_by_themselves_on_a_phone(browser: Any, address: str) -> None:
    shown = opened(browser, address, [], viewport={"width": 390, "height": 800})
    assert shown.evaluate("document.querySelector('.contracts').parentElement.scrollWidth") > 390
    shown.get_by_label("Table of contracts").focus()
    shown.keyboard.press("ArrowRight")
    shown.wait_for_function("document.querySelector('.contracts').parentElement.scrollLeft > 0")
    # The name of the contract stays where it is.
    assert shown.evaluate("document.querySelector('.contracts tbody th').getBoundingClientRect().left") > 0


def test_it_needs_no_scripts(browser: Any, address: str) -> None:
    said: list[str] = []
    shown = opened(browser, address, said, java_script_enabled=False)
    assert shown.get_by_role("heading", level=1).inner_text().startswith("1 thing could not be checked")
    assert shown.get_by_role("img").count() == 6
    assert shown.get_by_text("a stage").first.is_visible()
    assert said == []


def test_headings_go_down_step_by_step(browser: Any, address: str) -> None:
    shown = opened(browser, address, [])
    levels = shown.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_on_paper_nothing_is_cut_off(browser: Any, address: str) -> None:
    shown = opened(browser, address, [], viewport={"width": 794, "height": 1123}, color_scheme="dark")
    shown.emulate_media(media="print")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.evaluate("[...document.querySelectorAll('pre')].every(p => p.scrollWidth <= p.clientWidth)")
