"""`markov page` in a browser: the texts of `generate`, probabilities, tokens, hostile words, a phone's width."""

import base64
import math
import random
import shlex

import numpy as np
import pytest

import browser
import markov_cli
from conftest import run_markov
from markov_cli.api.page import page as pack
from markov_cli.generation.prompt import tokens_of
from markov_cli.sampling.next_tokens import next_token_distribution
from markov_cli.sampling.sampler import Sampler
from markov_cli.sampling.shape import Shape
from markov_cli.text.encoder import TextOptions
from pages import HOSTILE

SHAPES = [(1.0, 0, 1.0), (0.7, 0, 1.0), (0, 0, 1.0), (1.0, 3, 1.0), (1.6, 0, 0.8)]  # temperature, top-k, top-p


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    try:
        yield browser.Page(driver)
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def story(page, tmp_path_factory, harbour):
    """The page of a model of a story; the model's file has the same name."""
    folder = tmp_path_factory.mktemp("page")
    markov_cli.train(texts=[harbour]).save(folder / "story.npz")
    ran = run_markov("page", folder / "story.npz", "-o", folder / "story.html")
    assert ran.code == 0, ran.stderr
    return folder / "story.html"


@pytest.fixture
def written(page, story):
    """That page, open, and the model's file."""
    if page.driver.current_url != story.as_uri():
        page.open(story)
    return page, story.with_suffix(".npz")


def in_page(page, model, requests, max_bytes=10**7):
    """Texts of the page's script for each request, from what a page holds of a model."""
    data = base64.b64encode(pack(model, max_bytes=max_bytes).data).decode()
    return page.wait(
        "const t = await Table.read(arguments[0]);"
        "return arguments[1].map((r) => generate(t, {...r, prompt: r.said && readPrompt(t, r.said)})"
        ".map((one) => [one.text, one.tokens, one.complete]));",
        data,
        requests,
    )


def requests_of(methods, shapes, said=None, count=6, most=40):
    return [
        {
            "method": method, "shape": {"temperature": t, "topK": k, "topP": p}, "seed": str(seed), "count": count,
            "maxTokens": most, "said": said,
        }
        for method in methods
        for seed, (t, k, p) in enumerate(shapes, 2**70)
    ]  # fmt: skip


def by_python(model, r):
    how = {"temperature": r["shape"]["temperature"], "top_k": r["shape"]["topK"], "top_p": r["shape"]["topP"]}
    method = None if r["method"] == "own" else r["method"]
    texts = model.generate(
        r["count"], int(r["seed"]), smoothing=method, max_tokens=r["maxTokens"], prompt=r["said"] or "", **how
    )
    return [[one.text, one.tokens, one.complete] for one in texts]


def kinds(harbour, corpora):
    """Models of many kinds: name, model, its smoothings, bytes of a page."""
    words = markov_cli.train(texts=[harbour])
    names = [(corpora / "names.txt").read_text(encoding="utf-8")]
    scripts = markov_cli.train([*sorted((corpora / "scripts").glob("*.txt"))], order=2)
    yield "words", words, ("none", "kn", "wb", "abs"), 10**7
    yield "pruned by counts", markov_cli.prune(words, (0, 0, 1), max_types=300), ("none", "kn"), 10**7
    yield (
        "order 4, characters",
        markov_cli.train(texts=names, order=4, tokenizer="chars", unit="line"),
        ("none", "kn"),
        10**7,
    )
    yield "without borders", markov_cli.train(texts=[harbour[:2000]], borders=False, order=2), ("none", "kn"), 10**7
    yield "a short text without borders", markov_cli.train(texts=["a b a c d. b c a."], borders=False, order=2), (
        "none", "kn", "wb", "abs",
    ), 10**7  # fmt: skip
    yield "capped", markov_cli.train(texts=[harbour], min_sequences=2, cap_per_sequence=1), ("none", "wb"), 10**7
    yield "order 1", markov_cli.train(texts=[harbour[:2000]], order=1), ("none", "kn"), 10**7
    yield "many scripts", scripts, ("none",), 10**7
    yield "bytes", markov_cli.train(texts=["Grüße, 字!\n\n"], tokenizer="bytes", order=3), ("none", "kn"), 10**7


def test_the_same_seed_gives_the_texts_of_generate(written, harbour, corpora):
    page, _ = written
    for name, model, methods, most in kinds(harbour, corpora):
        requests = requests_of(methods, SHAPES if name == "words" else SHAPES[:1] + SHAPES[4:])
        got = in_page(page, model, requests, most)
        assert got == [by_python(model, r) for r in requests], name


def test_a_page_that_is_too_small_holds_the_model_that_prune_makes(written, harbour, run, tmp_path):
    """A tenth of the n-grams: their texts are those of `markov prune` with the threshold that the page names."""
    page, file = written
    held = pack(file, max_bytes=30_000)
    assert len(base64.b64encode(held.data)) <= 30_000
    assert run("prune", file, "--threshold", held.threshold, "-o", tmp_path / "small.npz").code == 0
    small = markov_cli.Model.load(tmp_path / "small.npz")
    assert held.ngrams_after == tuple(len(o) for o in small.table.orders) < held.ngrams_before
    whole = markov_cli.Model.load(file).table
    totals = page.wait(
        "const t = await Table.read(arguments[0]);"
        "return Array.from({length: t.nIds}, (_, id) => id === UNK ? 0 : t.total(1, id));",
        base64.b64encode(held.data).decode(),
    )
    assert totals[1:] == whole.total(1, np.arange(1, whole.n_ids)).tolist()
    requests = requests_of(["own"], SHAPES)
    assert in_page(page, markov_cli.Model.load(file), requests, 30_000) == [by_python(small, r) for r in requests]


def test_buttons_write_the_texts_of_the_command_that_the_page_names(written, run):
    page, file = written
    for beginning in ("", "The old", "He said, “Don't"):
        page.type("text", beginning)
        page.click("texts")
        (command,) = page.texts("#command")
        words = shlex.split(command)
        assert words[:3] == ["markov", "generate", "story.npz"]
        ran = run(*words[1:], cwd=file.parent)
        assert ran.code == 0, ran.stderr
        assert page.texts("#written .words") == ran.stdout.splitlines()
        page.click("to-end")
        assert page.value("text") == ran.stdout.splitlines()[0]
        page.click("back")
        assert page.value("text") == beginning
        for _ in range(3):
            page.click("one")
        assert ran.stdout.splitlines()[0].startswith(page.value("text"))
        page.click("clear")


def test_followers_and_their_counts_are_those_of_the_table(written):
    page, file = written
    model = markov_cli.Model.load(file)
    page.type("text", "She said that the")
    cards = page.run(
        "return [...document.querySelectorAll('#next .card')].map((c) => [...c.querySelectorAll('li')].map((l) =>"
        " ['take', 'count', 'p'].map((name) => l.querySelector('.' + name).textContent)))"
    )
    known = model.known("She said that the", at_start=True)
    for card, level in zip(cards, model.backoff(known, 8), strict=True):
        for (name, count, _), one in zip(card, level.followers, strict=True):
            assert name == (one.token or "end of text") and count == f"{one.count:,}"
    page.run("document.querySelector('#next .card button.take').click()")
    assert page.value("text") == f"She said that the {cards[0][0][0]}"
    page.click("clear")


def test_it_works_by_keyboard_alone(written):
    """Type, press Tab up to a button and Enter; a token that was taken leaves the focus on the next list."""
    page, _ = written
    page.click("clear")

    def press(*keys):
        for key in keys:
            page.driver.switch_to.active_element.send_keys(key)

    press("The old man", "\ue004", "\ue007")  # Tab to `One more token`, Enter
    typed = page.value("text")
    assert typed.startswith("The old man") and typed != "The old man"
    for _ in range(20):
        press("\ue004")
        if page.run("return document.activeElement.classList.contains('take')"):
            break
    press("\ue007", "\ue007")
    assert page.value("text").startswith(typed) and len(page.value("text").split()) >= len(typed.split()) + 1
    assert page.run("return document.activeElement.classList.contains('take')")


def test_next_tokens_and_steps_have_the_models_probabilities(written):
    page, file = written
    model = markov_cli.Model.load(file)
    data = base64.b64encode(pack(file).data).decode()
    ids = model.known("the old man", at_start=False).ids
    level, row = model.table.find(ids)
    for method in ("none", "kn", "wb"):
        shape = {"temperature": 0.8, "topK": 0, "topP": 0.9}
        got = page.wait(
            "const t = await Table.read(arguments[0]); const [l, r] = t.find(arguments[1]);"
            "return new Sampler(t, arguments[2], arguments[3]).next(l, r).map((one) => [one.id, one.p])",
            data, ids, method, shape,
        )  # fmt: skip
        smoothed = None if method == "none" else model.distribution(method)
        found, p = next_token_distribution(
            Sampler(model.table, Shape(0.8, 0, 0.9), True, smoothed), level, row, smoothed
        )
        assert {i: pytest.approx(q, rel=1e-6) for i, q in zip(found.tolist(), p.tolist(), strict=True)} == dict(got)
        page.type("sentence-method", method)
        page.type("sentence", "The old man came back.")
        (said,) = page.texts("#sentence-said")
        scored = model.score(texts=["The old man came back."], smoothing=method)
        if math.isfinite(scored.perplexity):
            assert f"{scored.bits_per_token:.2f} a token" in said
        else:
            assert "probability 0" in said
    assert len(page.texts("#sentence-steps details")) == 7  # six tokens and the end


def test_the_running_example(written):
    page, _ = written
    said = " ".join(page.texts(".lesson .sentence"))
    assert "After you comes must in 1 of 2 = 50 % and wish in 1 of 2 = 50 %." in said
    assert "After must comes be in 1 of 1 = 100 %." in said
    first = page.texts(".lesson .text")
    page.run("document.getElementById('walk').click()")
    assert page.texts(".lesson .text") != first


def hostile_texts(n):
    """Texts of parts that tokenizers treat in their own ways."""
    plain = "the Don't it’s 3.14 1,000 … ... !! \" “ ” ' ( ) - -- é e\u0301 字 ひ カタカナ ก 한국 😀 🇩🇪🇫🇷 \u200b"
    whole = "https://x.org/a_(b). www.foo.com, me@ex.org @me #tag <:smile:12> :ok: ½ ٣٤ _x_ \ufeff @@x İ ß 12:30 \x85"
    parts = [*plain.split(" "), *whole.split(" "), "👨\u200d👩\u200d👧", "👍\U0001f3fb", "\u200d", "\u202e"]
    parts += ["\n", "\n\n  ", "\t", "\r\n", "\x00", "\u2028", *HOSTILE[:8]]
    draw = random.Random(4)
    return ["".join(draw.choice(parts) + draw.choice(["", " "]) for _ in range(draw.randint(1, 9))) for _ in range(n)]


@pytest.mark.parametrize(
    "given",
    [
        {"tokenizer": "words"}, {"tokenizer": "words", "lowercase": True, "keep_newlines": True},
        {"tokenizer": "spaces"}, {"tokenizer": "chars"}, {"tokenizer": "regex", "pattern": r"\w+|[^\w\s]"},
    ],
    ids=str,
)  # fmt: skip
def test_typed_text_has_the_tokens_of_the_model(written, given):
    page, _ = written
    options, texts = TextOptions(**given), hostile_texts(150)
    header = {name: getattr(options, name) for name in ("tokenizer", "unit", "lowercase", "pattern", "keep_newlines")}
    got = page.run(
        "return arguments[0].map((t) => tokensOf(t, arguments[1]).map((one) => [one.text, one.flags]))", texts, header
    )
    assert got == [[[token.decode(), flags] for token, flags in tokens_of(text, options)] for text in texts]


def test_hostile_words_stay_text(page, run, tmp_path):
    """Types, the prompt, a file's name and its texts are hostile; nothing runs, and nothing is asked for."""
    words = [word for word in HOSTILE if "\ud800" not in word]
    text = tmp_path / "t.txt"
    text.write_text("\n".join(f"x {word} y" for word in words * 2), encoding="utf-8")
    name = "<img src=x onerror=document.title=1>.npz"
    for tokenizer in ("spaces", "chars"):
        how = ["--tokenizer", tokenizer, "--unit", "line", "-n", 3]
        assert run("train", text, *how, "-o", tmp_path / name).code == 0
        ran = run("page", tmp_path / name, "--corpus", text, "-o", tmp_path / "p.html")
        assert ran.code == 0, ran.stderr
        page.open(tmp_path / "p.html")
        page.type("text", "x </script><script>alert(1)</script>" if tokenizer == "spaces" else "x <")
        page.click("texts")
        page.click("one")
        assert (
            page.run(
                "return document.querySelectorAll('img, iframe, object, embed, link, form, #written script').length"
            )
            == 0
        )
        assert page.run("return document.scripts.length") == page.run(
            "return document.querySelectorAll('main > script[type], body > script').length"
        )
        assert page.run("return document.title") == name
        assert page.complaints() == []
        shown = "".join(page.texts("#next .take") + page.texts("#written .words"))
        assert not set(shown) & set("\u202e\u2066\u200f\u2028\u2029\x00\x1b\x85")


def test_it_fits_a_phone_and_names_every_control(written):
    page, _ = written
    size = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.run("return document.documentElement.scrollWidth") <= 400
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    named = page.run(
        "return [...document.querySelectorAll('button, input, select, textarea')].map((e) =>"
        " e.getAttribute('aria-label') || e.textContent && e.tagName === 'BUTTON' && e.textContent ||"
        " e.labels && e.labels.length && e.labels[0].textContent || e.outerHTML)"
    )
    assert [name for name in named if "<" in name] == []
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    controls = [
        n
        for n in tree
        if n.get("role", {}).get("value") in ("button", "textbox", "spinbutton", "combobox", "searchbox")
    ]
    assert len(controls) > 20
    assert [n for n in controls if not n.get("name", {}).get("value") and not n.get("ignored")] == []


def test_wrong_settings_are_said_and_change_nothing(written):
    page, _ = written
    before = page.texts("#command")
    set_to = "const f = document.querySelector('.settings input'); f.value = arguments[0];"
    set_to += "f.dispatchEvent(new Event('input'))"
    page.run(set_to, "-1")
    assert page.texts(".settings .error, .error")[0] == "temperature: a number from 0 to 100"
    assert page.texts("#command") == before
    page.run(set_to, "1")
    assert page.texts(".error") == [""] and page.texts("#command") == before
    assert page.complaints() == []
