"""The built site in a headless Chromium: ./run_all.sh --site --check runs this in .venv-site, which has playwright.

What a failing test saw is in .cache/site/failed/.
"""

import http.server
import json
import os
import re
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="./run_all.sh --site --check looks at the site")

SITE = Path(os.environ.get("RANDFORMER_SITE", "site"))
CASES = Path(os.environ.get("RANDFORMER_CASES", "cases.json"))
FAILED = CASES.parent / "failed"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (1280, 390)
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
EXPLORER = "explorer.html"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no browser: install chromium (Debian: apt install chromium)"),
    pytest.mark.skipif(not PAGES, reason="no site: ./run_all.sh --site builds it"),
]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root its sandbox
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def served():
    """Address of the site, as python -m http.server shows it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site and prints nothing."""

    def __init__(self, *asked):
        super().__init__(*asked, directory=SITE)

    def log_message(self, *_):
        pass


@contextmanager
def opened(browser, address: str, width: int = 1280, scheme: str = "light"):
    """A page without motion; at the end it has said no error and asked no other host. Its picture is kept if not."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    wrong = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    home = address.split("/", 3)[2]
    inside = (f"http://{home}/", "file://", "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(inside) else wrong.append(request.url))
    try:
        page.goto(address)
        yield page
        assert wrong == []
    except BaseException:
        FAILED.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "_", address.split("/", 3)[3])
        page.screenshot(path=FAILED / f"{name}_{width}.png", full_page=True)
        raise
    finally:
        page.close()


@pytest.fixture(params=WIDTHS)
def explorer(browser, request):
    """The page as opened from its file."""
    with opened(browser, (SITE / EXPLORER).resolve().as_uri(), request.param) as page:
        yield page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_with_its_figures_and_equations_and_fits(browser, served, page, width):
    with opened(browser, f"{served}/{page}", width) as seen:
        seen.evaluate("Promise.all([...document.images].map((i) => { i.loading = 'eager'; return i.decode(); }))")
        equations = seen.locator(".math").count()
        if equations:
            seen.wait_for_function(f"document.querySelectorAll('mjx-container svg').length === {equations}")
        assert seen.locator("mjx-merror").count() == 0
        assert seen.evaluate("document.documentElement.scrollWidth") <= width


def test_every_notebook_has_its_figures_and_some_page_its_equations():
    notebooks = [page for page in PAGES if page.startswith("notebooks/")]
    assert len(notebooks) >= 6
    text = {page: (SITE / page).read_text(encoding="utf-8") for page in PAGES}
    assert all("<img" in text[page] for page in notebooks)
    assert sum('class="math' in content for content in text.values()) >= 2


def test_all_links_lead_somewhere():
    ids = {page: set(re.findall(r'\bid="([^"]+)"', (SITE / page).read_text(encoding="utf-8"))) for page in PAGES}
    broken = []
    for page in PAGES:
        for link in re.findall(r'\b(?:href|src)="([^"]*)"', (SITE / page).read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", link):  # elsewhere; that pages load nothing from there is tested above
                continue
            where, fragment = urldefrag(unquote(link.split("?")[0]))
            target = (SITE / page).parent / where if where else SITE / page
            name = Path(os.path.relpath(target, SITE)).as_posix()
            known = name not in ids or fragment in ids[name] | {"", "top"}
            if not target.exists() or not known:
                broken.append((page, link))
    assert broken == []


def test_search_finds(browser, served):
    with opened(browser, f"{served}/search.html?q=majority") as page:
        page.wait_for_selector("#search-results li a")


def test_claims_can_be_filtered(browser, served):
    with opened(browser, f"{served}/claims.html") as page:
        rows = page.locator("table.claims tbody tr")
        every = rows.count()
        page.select_option("[data-filter=verdict]", label="✔ replicated")
        shown = [row.text_content() for row in rows.all() if row.is_visible()]
        assert 0 < len(shown) < every
        assert all("✔ replicated" in text for text in shown)
        page.fill("[data-filter=text]", "no claim says this")
        assert not any(row.is_visible() for row in rows.all())
        assert page.locator(".claims-filter output").text_content() == f"0 of {every} rows"


def test_the_explorer_weighs_less_than_two_megabytes():
    text = (SITE / EXPLORER).read_text(encoding="utf-8")
    parts = {part.split("?")[0] for part in re.findall(r'(?:src|href)="([^"]+\.(?:js|css)[^"]*)"', text)}
    assert len(text) + sum((SITE / part).stat().st_size for part in parts) < 2e6


ASKED = {
    "recall": "(c) => ({ logits: recall.logits(unpacked('recall', c.kind, c.index), c.x, c.seed) })",
    "coloring": "(c) => ({ logits: coloring.logits(unpacked('coloring', c.kind, c.index), c.x, c.seed) })",
    "gridworld": "(c) => gridworld.play(unpacked('gridworld', c.kind, c.index), c.x, c.seed)",
}


@pytest.mark.parametrize("problem", ASKED)
def test_the_page_says_what_pytorch_says(browser, problem):
    cases = json.loads(CASES.read_text(encoding="utf-8"))[problem]
    assert len(cases) == 200
    assert {case["kind"] for case in cases} == {"fixed", "random"}
    with opened(browser, (SITE / EXPLORER).resolve().as_uri()) as page:
        plain = "(said) => ({ ...said, logits: said.logits.map((row) => Array.from(row)) })"
        found = page.evaluate(f"(all) => all.map((c) => ({plain})(({ASKED[problem]})(c)))", cases)
    rows, clear = 0, 0
    for case, said in zip(cases, found, strict=True):
        assert len(said["logits"]) == len(case["logits"])
        for row, expected in zip(said["logits"], case["logits"], strict=True):
            assert row == pytest.approx(expected, abs=1e-4, rel=0)
            rows += 1
            if not tied(problem, expected):
                clear += 1
                assert read(problem, row) == read(problem, expected)
        assert said.get("walks") == case.get("walks")
    assert clear > 0.9 * rows


def read(problem: str, row: list[float]) -> list[bool] | int:
    """The answer at a token."""
    return [x > 0 for x in row] if problem == "recall" else row.index(max(row))


def tied(problem: str, row: list[float]) -> bool:
    """Whether rounding could change the answer that is read off logits."""
    if problem == "recall":
        return min(map(abs, row)) < 1e-3
    first, second = sorted(row)[-1:-3:-1]
    return first - second < 1e-3


def test_the_page_finds_the_cycles_that_a_fixed_seed_fails_on(browser):
    """By the short way, vertex by vertex with what surrounds it; pytorch looks at every cycle."""
    expected = json.loads(CASES.read_text(encoding="utf-8"))["failing cycles"]
    count = """(index) => {
        const model = unpacked("coloring", "fixed", index);
        const clashes = clashesOfAll(allCycles(coloring.n), colorTable(model, model.seed));
        return clashes.filter((count) => count > 0).length;
    }"""
    with opened(browser, (SITE / EXPLORER).resolve().as_uri()) as page:
        assert [page.evaluate(count, index) for index in range(len(expected))] == expected


def button(page, panel: str, text: str) -> None:
    page.locator(f"#{panel} .controls button", has_text=text).click()


def test_recall_answers(explorer):
    tiles = (
        "[...document.querySelectorAll('#recall .random .tiles button')].map((tile) => tile.className.split(' ')[0])"
    )
    kept = set()
    for bit in range(10):
        explorer.locator("#recall .random .seed button").nth(bit).click()
        kept.add(tuple(explorer.evaluate(tiles)))
    assert len(kept) > 1  # other seeds, other pairs
    explorer.locator("#recall summary").click()
    explorer.locator("#recall .values input").first.fill("99")
    explorer.locator("#recall .values input").first.press("Enter")
    assert explorer.locator("#recall .values input").first.input_value() == "31"
    button(explorer, "recall", "Draw 30 seeds")
    counts = "Array.from(document.querySelectorAll('#recall .fixed .bar .count'), (count) => Number(count.textContent))"
    votes = f"{counts}.reduce((all, count) => all + count, 0)"
    explorer.wait_for_function(f"{votes} === 30")
    button(explorer, "recall", "Attack")
    explorer.wait_for_function(
        f"document.querySelector('#recall .verdict').textContent.includes('of all 1024') && {votes} === 30"
    )
    assert explorer.locator("#recall .fixed .tiles .asked.wrong").count() == 1


def test_coloring_answers(explorer):
    colors = "document.querySelector('#coloring .random svg').getAttribute('aria-label')"
    seen = set()
    for vertex in range(10):
        explorer.locator("#coloring .random input").nth(vertex).focus()
        explorer.keyboard.press("End")
        seen.add(explorer.evaluate(colors))
    assert len(seen) > 1
    button(explorer, "coloring", "Attack")
    explorer.wait_for_function("document.querySelectorAll('#coloring .marks span').length === 60")
    assert explorer.locator("#coloring .fixed .clash").count() > 0
    assert explorer.locator("#coloring .fixed .marks .wrong").count() == 30
    assert explorer.locator("#coloring .random .marks .right").count() > 0


def test_gridworld_answers(explorer):
    treasure = explorer.locator("#gridworld .random rect[tabindex='0']")
    before = treasure.get_attribute("aria-label")
    treasure.focus()
    explorer.keyboard.press("ArrowLeft")
    assert explorer.evaluate("document.activeElement.getAttribute('tabindex')") == "0"
    assert explorer.evaluate("document.activeElement.getAttribute('aria-label')") != before
    explorer.locator("#gridworld .fixed rect").nth(7).click()
    assert explorer.locator("#gridworld .mixture rect").nth(7).get_attribute("tabindex") == "0"
    button(explorer, "gridworld", "Draw 30 seeds")
    for kind in ("fixed", "random", "mixture"):
        explorer.wait_for_function(
            f"document.querySelector('#gridworld .{kind} .hint').textContent.includes('over 31 ')"
        )
        assert explorer.locator(f"#gridworld .{kind} .walk").count() in (1, 2)
    button(explorer, "gridworld", "Attack")
    explorer.wait_for_function("document.querySelector('#gridworld .verdict').textContent.includes('best mixture')")


@pytest.mark.parametrize("problem", ASKED)
def test_every_trained_repetition_can_be_chosen_with_the_keyboard(explorer, problem):
    choice = explorer.locator(f"#{problem} select")
    for _ in range(1, choice.locator("option").count()):
        choice.focus()
        explorer.keyboard.press("ArrowDown")
    assert choice.input_value() == str(choice.locator("option").count() - 1)
    assert explorer.locator(f"#{problem} .random .kept").text_content()


def test_no_text_is_lost_in_the_dark(browser):
    with opened(browser, (SITE / EXPLORER).resolve().as_uri(), scheme="dark") as page:
        light = (
            "(node) => getComputedStyle(node).color.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3"
        )
        for text in ("#recall .kept", "#coloring .kept", "#gridworld .kept", "#recall .tiles button", "#recall h3"):
            assert page.locator(text).first.evaluate(light) > 120
