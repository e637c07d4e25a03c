"""The pages of `score` and `inspect` in a browser: details by pointer, keyboard and tap; search; no complaint."""

import pytest

import browser
import markov_cli
from helpers import run_in_process
from pages import HOSTILE

LEFT, RIGHT, DOWN, HOME, ESCAPE, TAB = "\ue012", "\ue014", "\ue015", "\ue011", "\ue00c", "\ue004"
OTHER = "The clock in the hall was silent. He said nothing, and looked at the zebra."


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    try:
        yield browser.Page(driver)
    finally:
        driver.quit()


@pytest.fixture
def scored(page, tmp_path, story):
    markov_cli.train(texts=[story], order=3).save(tmp_path / "m.npz")
    (tmp_path / "t.txt").write_text(OTHER, encoding="utf-8")
    done = run_in_process("score", "m.npz", "t.txt", "--html", "p.html", "-q", cwd=tmp_path)
    assert done.code == 0, done.stderr
    page.driver.get((tmp_path / "p.html").as_uri())
    return page, [*markov_cli.score_tokens(tmp_path / "m.npz", texts=[OTHER])], tmp_path / "m.npz"


def keys(page, *pressed):
    actions = [{"type": kind, "value": key} for key in pressed for kind in ("keyDown", "keyUp")]
    page.driver.execute("actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})


def detail(page):
    return page.run("const d = document.getElementById('detail'); return d.hidden ? null : d.innerText;")


def test_the_keyboard_reaches_every_token_and_its_details(scored):
    page, wanted, _ = scored
    keys(page, TAB)
    for one in wanted:
        shown = detail(page)
        assert shown.startswith(f"×\n{one.token or '</s>'}\n")
        assert f"{one.bits:.2f} bits" in shown
        assert f"n-gram of {one.longest} token" in shown and ("Not in the vocabulary" in shown) == one.oov
        assert page.run("return document.activeElement.textContent") == (one.token or "¶")
        keys(page, RIGHT)
    keys(page, HOME, DOWN)
    dark = next(i for i, one in enumerate(wanted) if i and one.bits >= 8)
    assert f"{wanted[dark].bits:.2f} bits" in detail(page)
    assert page.run("return document.getElementById('detail').getAttribute('aria-live')") == "polite"
    keys(page, ESCAPE)
    assert detail(page) is None and page.complaints() == []


def test_alternatives_and_counts_are_those_of_inspect(scored):
    """`hall` is after `in the`: its panel shows what inspect says of that history under kn."""
    page, wanted, path = scored
    place = [one.token for one in wanted].index("hall")
    page.run("document.querySelectorAll('.text > span')[arguments[0]].click()", place)
    rows = page.run("return [...document.querySelectorAll('#detail tr')].map((r) => r.innerText.trim().split('\\t'))")
    found = markov_cli.inspect_history(path, "in the", smoothing="kn", top=5).followers
    assert [row[0].removesuffix(" ◂") for row in rows] == [one.token or one.marker for one in found]
    assert [row[1] for row in rows] == [f"{100 * one.probability:.1f}%" for one in found]
    the = [one.token for one in wanted].index("the")
    page.run("document.querySelectorAll('.text > span')[arguments[0]].click()", the)
    history = markov_cli.inspect_history(path, "in", top=None)
    count = {one.token: one.count for one in history.followers}["the"]
    assert wanted[the].longest == 2
    assert f"n-gram of 2 tokens: in the; {count} of {history.total} times after “in”" in detail(page)


def test_the_pointer_shows_and_a_tap_holds(scored):
    page, wanted, _ = scored
    move = "const t = document.querySelectorAll('.text > span')[arguments[0]];"
    over = "t.dispatchEvent(new PointerEvent('pointerover', {bubbles: true, pointerType: 'mouse'}));"
    page.run(move + over, 1)
    assert wanted[1].token in detail(page)
    page.run(move + "t.click();", 2)
    page.run(move + over, 4)
    assert f"{wanted[2].bits:.2f} bits" in detail(page)  # chosen, so the pointer changes nothing
    page.run("document.querySelector('#detail button').click()")
    assert detail(page) is None


def test_links_lead_to_tokens(scored):
    page, _, _ = scored
    said = page.run("const a = document.querySelector('td a'); a.click(); return a.textContent;")
    page.wait("await new Promise((go) => setTimeout(go, 50));")
    assert page.run("return document.activeElement.textContent") == said and said in detail(page)


def test_hostile_words_are_shown_and_nothing_runs(page, tmp_path):
    words = [word.replace(" ", "_") for word in HOSTILE]
    text = " ".join(words)
    markov_cli.train(texts=[text] * 2, tokenizer="spaces", unit="line", order=2).save(tmp_path / "m.npz")
    (tmp_path / "t.txt").write_bytes(text.encode("utf-8", "replace"))
    for command in (["score", "m.npz", "t.txt"], ["inspect", "m.npz"]):
        assert run_in_process(*command, "--html", "p.html", "-q", cwd=tmp_path).code == 0
        page.driver.get((tmp_path / "p.html").as_uri())
        assert page.run("return document.querySelectorAll('img, form, iframe').length") == 0
        assert page.complaints() == []
    source = (tmp_path / "p.html").read_text(encoding="utf-8")
    broken = source.replace(
        "</main>", "<img src=x onerror='document.title=1'><script>document.title = 1</script></main>"
    )
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    page.driver.get((tmp_path / "broken.html").as_uri())
    assert page.run("return document.title") == "m.npz: a look"  # the policy stops what slipped in
    assert len([line for line in page.complaints() if "Content Security Policy" in line]) >= 2


def test_search_leaves_the_rows_that_have_the_text(page, tmp_path, story):
    markov_cli.train(texts=[f"Émile sat. {story[:2000]}" + " Émile sat." * 9], order=2).save(tmp_path / "m.npz")
    assert run_in_process("inspect", "m.npz", "--html", "p.html", "-q", "--top", 300, cwd=tmp_path).code == 0
    page.driver.get((tmp_path / "p.html").as_uri())
    wanted = markov_cli.inspect(tmp_path / "m.npz", top=300).orders
    for asked, found in (("CLOCK", "clock"), ("emile", "Émile")):
        page.run(
            "const f = document.querySelector('input[type=search]'); f.value = arguments[0];"
            "f.dispatchEvent(new Event('input'));",
            asked,
        )
        left = page.run(
            "return [...document.querySelectorAll('.commonest tbody tr')].filter((r) => !r.hidden)"
            ".map((r) => r.cells[0].textContent)"
        )
        names = [" ".join(one.names) for order in wanted for one in order.commonest]
        assert sorted(left) == sorted(name for name in names if found.lower() in name.lower()) and left
        assert page.texts(".search output") == [f"{len(left)} of {len(names):,}"]


@pytest.mark.parametrize("command", ["score", "inspect", "audit"])
def test_a_phone_scrolls_down_only(page, tmp_path, story, command):
    markov_cli.train(texts=[story], order=3).save(tmp_path / "m.npz")
    (tmp_path / "t.txt").write_text(story, encoding="utf-8")
    more = {"score": ["t.txt"], "inspect": [], "audit": ["--corpus", "t.txt"]}[command]
    assert run_in_process(command, "m.npz", *more, "--html", "p.html", "-q", cwd=tmp_path).code == 0
    wide = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wide)
    try:
        page.driver.get((tmp_path / "p.html").as_uri())
        assert page.run("return document.documentElement.scrollWidth") == 400
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
