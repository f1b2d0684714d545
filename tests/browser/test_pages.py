"""Reports and sites in Chromium: quiet consoles, no network, working filters, no serious accessibility violation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from conformance.record.folder import RunFolder
from reports import html
from reports.matrix import matrix
from reports.pages import matrix_page
from reports.site import build
from tests.browser.browsers import ARGUMENTS, CannotInstallError, axe, chromium
from tests.unit.record_samples import HOSTILE, RUN, hostile_run
from tests.unit.test_reports_comparisons import COMPARISON
from tests.unit.test_reports_experiments import EXPERIMENT

playwright = pytest.importorskip("playwright.sync_api", reason="`make browser` installs it")
pytestmark = pytest.mark.browser

PAGES = ("report", "hostile", "matrix", "site", "target", "finding")
SCHEMES = ("light", "dark")


@dataclass(slots=True)
class Heard:
    """What a page did beside showing itself."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    runs = folder / "runs"
    told = replace(RUN, experiments=(EXPERIMENT,), comparisons=(COMPARISON,))
    for name, run in (("a", told), ("b", hostile_run(HOSTILE))):
        written = RunFolder(runs / name)
        written.path.mkdir(parents=True)
        written.write_run(run)
        for finding in run.findings:
            if run is told:
                written.write_finding(finding, "print()\n")
        written.html.write_text(html.render(run, written.path), encoding="utf-8")
    both = matrix([(RUN, None), (hostile_run(HOSTILE), None)])
    (folder / "matrix.html").write_text(matrix_page(both), encoding="utf-8")
    build(runs, folder / "site")
    return {
        "report": runs / "a" / "report.html",
        "hostile": runs / "b" / "report.html",
        "matrix": folder / "matrix.html",
        "site": folder / "site" / "index.html",
        "target": next((folder / "site" / "targets").glob("*.html")),
        "finding": next((folder / "site" / "findings").glob("*.html")),
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        program = chromium()
    except CannotInstallError as error:
        pytest.skip(str(error))
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    contexts = []

    def open_page(name: str, *, bypass_csp: bool = False, **settings: Any) -> tuple[Any, Heard]:
        context = browser.new_context(bypass_csp=bypass_csp, **settings)
        contexts.append(context)
        page, heard = context.new_page(), Heard()
        page.on("console", lambda said: heard.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: heard.errors.append(str(error)))
        page.on("request", lambda request: heard.requests.append(request.url))
        page.on("dialog", lambda dialog: (heard.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(pages[name].as_uri())
        return page, heard

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_asks_nothing_of_the_network(opened: Any, pages: dict[str, Path], name: str) -> None:
    page, heard = opened(name)
    page.locator("summary").evaluate_all("all => all.forEach(each => each.click())")
    assert heard.errors == []
    assert heard.dialogs == []
    home = pages["site"].parent.as_uri()
    assert [url for url in heard.requests if url != page.url.partition("#")[0] and not url.startswith(home)] == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_accessibility_violation(opened: Any, name: str, scheme: str) -> None:
    try:
        script = axe()
    except CannotInstallError as error:
        pytest.skip(str(error))
    page, _ = opened(name, bypass_csp=True, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    page.evaluate(script)
    found = page.evaluate("axe.run()")["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in serious] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone(opened: Any, name: str) -> None:
    page, _ = opened(name, viewport={"width": 360, "height": 740})
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_filters_show_what_fits_them(opened: Any) -> None:
    page, _ = opened("report")
    severity = RUN.findings[0].severity
    fitting = sum(finding.severity == severity for finding in RUN.findings)
    assert 0 < fitting < len(RUN.findings)
    page.locator("select[name=severity]").select_option(severity)
    shown = page.locator("details.finding:visible")
    assert shown.count() == fitting
    assert {shown.nth(n).get_attribute("data-severity") for n in range(fitting)} == {severity}
    assert page.locator("output").inner_text() == f"{fitting} of {len(RUN.findings)} findings shown"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function(f"document.querySelectorAll('details.finding:not([hidden])').length === {len(RUN.findings)}")


def test_findings_open_by_keyboard_and_by_link(opened: Any, pages: dict[str, Path]) -> None:
    page, _ = opened("report")
    page.get_by_role("button", name="Close all").click()
    first = page.locator("details.finding").first
    assert first.get_attribute("open") is None
    first.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is not None
    last = page.locator("details.finding").last
    page.goto(f"{pages['report'].as_uri()}#{last.get_attribute('id')}")
    page.wait_for_function("[...document.querySelectorAll('details.finding')].at(-1).open")


def test_copy_puts_the_command_on_the_clipboard(opened: Any) -> None:
    page, _ = opened("report", permissions=["clipboard-read", "clipboard-write"])
    block = page.locator("details.finding pre.copy").first
    block.get_by_role("button", name="Copy").click()
    page.wait_for_function("document.querySelector('details.finding pre.copy button').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == block.locator("code").inner_text()


def test_without_scripts_everything_can_still_be_read(opened: Any) -> None:
    page, _ = opened("report", java_script_enabled=False)
    assert page.locator("details.finding").count() == len(RUN.findings)
    assert page.locator("form.filters").is_hidden()


def test_print_opens_what_is_closed(opened: Any) -> None:
    page, _ = opened("report")
    page.get_by_role("button", name="Close all").click()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.finding:not([open])").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.finding[open]").count() == 0
