"""The page of a run in a real browser: whole, paged, filtered, without a word to the network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from catalogs import asked, begun, manifest, worker

from mezzotint.catalog.report.entries import entries
from mezzotint.catalog.report.write import page, write_report

sync_api = pytest.importorskip("playwright.sync_api")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEZZOTINT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def opened(browser: Any, path: Path) -> tuple[Any, list[str]]:
    """A tab with the page, and what went wrong in it."""
    tab, wrong = browser.new_page(), []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("request", lambda request: wrong.append(request.url) if request.url.startswith("http") else None)
    tab.goto(path.as_uri())
    return tab, wrong


def test_sheets_filters_and_links(tmp_path: Path, tiny: Path, browser: Any) -> None:
    (tmp_path / "m.csv").write_text("sku,prompt,n\n=a&b,{kind},x\nb,{kind},y\n")
    (tmp_path / "m.toml").write_text('[factors]\nkind = ["sneaker", "t-shirt"]\n')
    run, where, model = begun(asked(tmp_path / "m.csv", tiny), tmp_path / "out")
    assert worker(run, where, model).work() == "done"
    write_report(where.db, where.store, run)
    tab, wrong = opened(browser, tmp_path / "out" / "report.html")
    assert tab.locator("h1").inner_text().endswith("4 of 4 assets")
    assert tab.locator("h2").all_inner_texts() == ["=a&b", "b"] and tab.locator("figure").count() == 4
    tab.select_option("#by", label="kind")
    assert tab.locator("h2").all_inner_texts() == ["sneaker", "t-shirt"]
    tab.select_option("#level-0", label="sneaker")
    assert tab.locator("#count").inner_text() == "2 assets"
    tab.fill("#search", "b t")
    assert tab.locator("#count").inner_text() == "0 assets" and tab.locator("#page").inner_text() == "nothing"
    tab.fill("#search", "=A&B SNEAK")
    link = tab.locator("figure a").first.get_attribute("href")
    assert tab.locator("figure").count() == 1 and (tmp_path / "out" / unquote(link)).is_file()
    assert tab.locator("figure img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8
    tab.check("#queue")
    assert tab.locator("figure").count() == 0 and not wrong


def test_ten_thousand_assets_are_paged(tmp_path: Path, tiny: Path, browser: Any) -> None:
    run, where, model = begun(asked(manifest(tmp_path, rows=1, variants=1), tiny), tmp_path / "out")
    worker(run, where, model).work()
    (one,) = entries(where.db, run.id)
    many = [
        replace(one, sku=f"S-{k // 10}", variant=f"v{k % 10}", review="look" if k % 100 == 7 else "")
        for k in range(10_000)
    ]
    (tmp_path / "out" / "many.html").write_text(page(where.db, where.store, run, many))
    tab, wrong = opened(browser, tmp_path / "out" / "many.html")
    assert tab.locator("figure").count() == 120 and tab.locator("#page").inner_text() == "1 to 120 of 10000"
    tab.click("#next")
    assert tab.locator("#page").inner_text() == "121 to 240 of 10000" and tab.locator("h2").first.inner_text() == "S-12"
    tab.check("#queue")
    assert tab.locator("#count").inner_text() == "100 assets" and tab.locator("figure.review").count() == 100
    tab.fill("#search", "s-999")
    assert tab.locator("#count").inner_text() == "0 assets" and not wrong
