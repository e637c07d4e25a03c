"""`markov score`: its output, notes and errors."""

import json

import pytest

from helpers import run_in_process, two_lines

STORY = "the cat sat on the mat\nthe dog sat on the cat\na dog ran\n"
OTHER = "il gatto dorme\nil cane dorme\nil gatto corre\n"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    from conftest import run_markov

    folder = tmp_path_factory.mktemp("score")
    (folder / "story.txt").write_text(STORY, encoding="utf-8")
    (folder / "other.txt").write_text(OTHER, encoding="utf-8")
    (folder / "empty.txt").write_text("\n\n", encoding="utf-8")
    for name, text, more in (
        ("story", "story", []),
        ("other", "other", []),
        ("spaces", "story", ["--tokenizer", "spaces"]),
    ):
        ran = run_markov("train", folder / f"{text}.txt", "--unit", "line", *more, "-q", "-o", folder / f"{name}.npz")
        assert ran.code == 0
    ran = run_markov("train", folder / "story.txt", "-q", "-o", folder / "sentences.npz")
    assert ran.code == 0
    return folder


@pytest.fixture
def run():
    return run_in_process


@pytest.fixture
def inside(here, monkeypatch):
    monkeypatch.chdir(here)
    return here


# ------------------------------------------------------------ totals


def test_the_whole_summary_of_a_text(run, inside):
    """Raw counts: the 2/3, dog 1/2 (or cat), sat 1, on 1, the 1, cat 1/2 (or mat), </s> 1/2 (or sat)."""
    ran = run("score", "story.npz", "--smoothing", "none", stdin="the dog sat on the cat\n")
    assert ran.code == 0
    assert ran.stderr == ""
    # 1/12: log2 12 = 3.5850, / 7 = 0.5121, 2 ** 0.5121 = 1.4262; 3.5850 / 23 bytes = 0.1559; log10 12 = 1.0792
    assert ran.stdout.splitlines() == [
        "tokens                   7  6 of the text, and the end of 1 line",
        "OOV                      0  0.00% of the text's tokens are not in the vocabulary",
        "perplexity          1.4262  OOV included",
        "                    1.4262  OOV left out",
        "bits per token      0.5121",
        "bits per byte       0.1559  of 23; models of other tokens compare by this",
        "log10 probability  -1.0792  of the whole text",
    ]


def test_json_has_the_documented_keys(run, inside):
    ran = run("score", "story.npz", "--smoothing", "none", "--json", stdin="the dog sat on the cat\nthe cow\n\n")
    out = json.loads(ran.stdout)
    assert ran.stderr == ""
    # 1/12; then the 2/3, cow 0; after the unseen cow </s> is 3 of 15 tokens and 3 ends
    assert {k: v for k, v in out.items() if k != "repairs"} == {
        "tokens": 10, "oov": 1, "sequences": 2, "log10_probability": None, "perplexity": None,
        "perplexity_without_oov": pytest.approx((12 * 1.5 * 6) ** (1 / 9)), "bits_per_token": None,
        "bits_per_byte": None, "zero_probability": 1, "text_bytes": 32,
    }  # fmt: skip
    assert out["repairs"]["empty_sequences"] == 1


def test_impossible_tokens_are_counted(run, inside):
    ran = run("score", "story.npz", "--smoothing", "none", stdin="the cow\n")
    assert "perplexity          infinite  OOV included" in ran.stdout
    assert "probability 0              1  tokens that the model considers impossible" in ran.stdout
    assert "log10 probability  -infinite" in ran.stdout


def test_notes_go_to_stderr(run, inside):
    ran = run("score", "story.npz", "story.txt", stdin="")
    note = "kn: too little text to estimate the discounts of order 2, 3; 0.5, 1 and 1.5 are used\n"
    assert ran.stderr == note
    assert run("score", "story.npz", "story.txt", "-q").stderr == ""
    ran = run("score", "story.npz", "story.txt", "--model", "other.npz")
    assert ran.stderr == note  # once, also with two models
    assert run("score", "story.npz", "story.txt", "--smoothing", "stupid").stderr == (
        "stupid: these are scores, not probabilities; they do not sum to 1\n"
    )
    ran = run("score", "story.npz", "--smoothing", "wb", stdin=b"the caf\xe9\n\n")
    assert ran.stderr.splitlines() == [
        "note: 1 invalid UTF-8 sequence read as U+FFFD; --encoding cp1252 may be right: 1 of 1 bytes that are no UTF-8"
        " make sense so, as in 'café'",
        "note: 1 empty sequence skipped",
    ]


def test_files_folders_and_stdin(run, inside, tmp_path):
    (tmp_path / "a.txt").write_text("the cat\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("a dog\n", encoding="utf-8")
    one = json.loads(run("score", "story.npz", tmp_path, "--json").stdout)
    two = json.loads(run("score", "story.npz", tmp_path / "a.txt", "-", "--json", stdin="a dog\n").stdout)
    assert one == two
    assert one["tokens"] == 6
    latin = run("score", "story.npz", "--encoding", "latin-1", "--json", stdin="the café cat\n".encode("latin-1"))
    assert json.loads(latin.stdout)["text_bytes"] == 14  # in UTF-8


# ------------------------------------------------------------ --each


def test_a_row_for_each_line(run, inside):
    ran = run("score", "story.npz", "--smoothing", "none", "--each", "line", stdin="the dog sat\n\na\tcow\n")
    # the dog sat: 2/3 1/2 1; </s> never follows `dog sat`: 0
    assert ran.stdout.splitlines() == [
        "text\ttokens\toov\tbits\tperplexity\tlongest\tline",
        "the dog sat\t4\t0\tinf\tinf\t3\t1",
        "\t0\t0\t0.0000\t\t0\t2",
        "a\\tcow\t3\t1\tinf\tinf\t2\t3",
    ]
    ran = run("score", "story.npz", "--smoothing", "none", "--each", "line", "--json", stdin="a dog ran\r\n")
    # a 1/3, the rest is certain: log2 3 = 1.584963, over 4 tokens: 3 ** 1/4 = 1.316074
    assert json.loads(ran.stdout) == {
        "text": "a dog ran", "tokens": 4, "oov": 0, "bits": 1.584963, "perplexity": 1.316074, "longest": 3,
        "line": 1,
    }  # fmt: skip


def test_a_row_for_each_token(run, inside):
    ran = run("score", "story.npz", "--smoothing", "none", "--each", "token", stdin="a dog </s>\n")
    # a 1/3, dog 1, then an unknown token
    assert ran.stdout.splitlines()[:4] == [
        "token\toov\tbits\tlongest",
        "a\t0\t1.5850\t2",
        "dog\t0\t0.0000\t3",
        "<\t1\tinf\t1",
    ]
    ran = run("score", "story.npz", "--smoothing", "none", "--each", "token", "--json", stdin="a dog ran\n")
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        {"token": "a", "oov": False, "bits": 1.584963, "longest": 2},
        {"token": "dog", "oov": False, "bits": 0.0, "longest": 3},
        {"token": "ran", "oov": False, "bits": 0.0, "longest": 3},
        {"token": None, "marker": "</s>", "oov": False, "bits": 0.0, "longest": 3},
    ]


def test_rows_sum_to_the_summary(run, inside, corpora):
    text = corpora / "harbour.txt"
    whole = json.loads(run("score", "story.npz", text, "--json").stdout)
    for each in ("line", "token"):
        rows = [
            json.loads(line) for line in run("score", "story.npz", text, "--each", each, "--json").stdout.splitlines()
        ]
        assert sum(r["oov"] for r in rows) == whole["oov"]
        assert sum(r.get("tokens", 1) for r in rows) == whole["tokens"]
        assert sum(r["bits"] for r in rows) == pytest.approx(whole["bits_per_token"] * whole["tokens"], rel=1e-6)


# ------------------------------------------------------------ JSON lines, filters, buckets


DOCS = '{"id": 1, "text": "the cat sat on the mat"}\n\n{"id":2.50,"text":"the dog\\nran"}\n{"text": ""}\n'


def test_json_lines_get_the_scores(run, inside):
    ran = run("score", "story.npz", "--smoothing", "none", "--jsonl", "text", stdin=DOCS)
    # the cat sat on the mat: 2/3 1/2 1/2 1 1 1/2 1 = 1/12, 7 tokens, 22 bytes; </s> never follows `the dog`: 0
    assert ran.stdout.splitlines() == [
        '{"id": 1, "text": "the cat sat on the mat", "perplexity": 1.4262, "bits_per_byte": 0.162953,'
        ' "scored_tokens": 7, "scored_oov": 0}',
        '{"id":2.50,"text":"the dog\\nran", "perplexity": null, "bits_per_byte": null,'
        ' "scored_tokens": 5, "scored_oov": 0}',
        '{"text": "", "perplexity": null, "bits_per_byte": null, "scored_tokens": 0, "scored_oov": 0}',
    ]
    again = run("score", "story.npz", "--smoothing", "none", "--jsonl", "text", stdin=ran.stdout)
    assert [json.loads(a) for a in again.stdout.splitlines()] == [json.loads(a) for a in ran.stdout.splitlines()]


def test_json_lines_may_hold_the_text_in_a_nested_field(run, inside):
    doc = '{"doc": {"body": "the cat"}, "a.b": "the dog"}'
    tokens = [
        json.loads(run("score", "story.npz", "--jsonl", field, stdin=doc).stdout)["scored_tokens"]
        for field in ("doc.body", "a.b")
    ]
    assert tokens == [3, 3]
    # half a surrogate pair is no character
    assert run("score", "story.npz", "--jsonl", "t", stdin='{"t": "the \\ud800 cat"}').stdout.startswith(
        '{"t": "the \\ud8'
    )


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('{"text": "a"}\n{"text": \n', ["standard input: line 2: not JSON"]),
        ('{"text": "a"}\n[1]\n', ["line 2: a list, not an object"]),
        ('\n\n{"txt": "a", "id": 1}\n', ["line 3: no field 'text'", "its fields: 'txt', 'id'"]),
        ('{"text": null}\n', ["line 1: field 'text' is null, not a text"]),
        ('{"text": 7}\n', ["line 1: field 'text' is a number"]),
        ("[" * 100000 + "\n", ["line 1: not JSON"]),
        ("\n \n", ["no record"]),
    ],
)
def test_bad_json_lines_are_errors_with_a_line_number(run, inside, lines, words):
    ran = run("score", "story.npz", "-q", "--jsonl", "text", stdin=lines)
    assert ran.stdout.count("\n") == lines.count('"a"}')  # the records before it are written
    ran.stdout_bytes = b""
    two_lines(ran, 1, *words)


def test_kept_lines_are_written_unchanged(run, inside):
    text = "the cat sat on the mat\nzxq \x01 <b>\t\nthe dog ran\n"
    ran = run("score", "story.npz", "--smoothing", "wb", "--max-perplexity", "20", stdin=text)
    assert ran.stdout == "the cat sat on the mat\nthe dog ran\n"
    assert ran.stderr == "kept 2 of 3 lines\n"
    ran = run("score", "story.npz", "--smoothing", "wb", "--min-perplexity", "20", stdin=text)
    assert ran.stdout == "zxq \x01 <b>\t\n"
    # a sentence over two lines is written on one line and stays one sentence
    ran = run("score", "sentences.npz", "--smoothing", "wb", "--max-perplexity", "1e6", stdin="The\ncat. A dog.")
    assert ran.stdout == "The cat.\nA dog.\n"
    ran = run("score", "story.npz", "--each", "line", "--max-perplexity", "20", "--smoothing", "wb", stdin=text)
    assert len(ran.stdout.splitlines()) == 3


def test_documents_are_kept_by_perplexity(run, inside):
    ran = run("score", "story.npz", "--smoothing", "wb", "--jsonl", "text", "--max-perplexity", "5", stdin=DOCS)
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == [1]
    assert ran.stderr == "kept 1 of 3 records\n"


def test_buckets_are_cut_by_percentile_or_by_value(run, inside):
    lines = "".join(f"the cat {'zxq ' * i}\n" for i in range(10))
    ran = run("score", "story.npz", "--smoothing", "wb", "--buckets", "30,60", stdin=lines)
    found = [line.split("\t") for line in ran.stdout.splitlines()]
    assert [text + "\n" for _, text in found] == lines.splitlines(keepends=True)
    assert sorted(label for label, _ in found) == ["head"] * 3 + ["middle"] * 3 + ["tail"] * 4
    said, cut = ran.stderr.strip().split(": --cut ")
    assert said == "head 3, middle 3, tail 4"
    again = run("score", "story.npz", "--smoothing", "wb", "--cut", cut, stdin=lines)
    assert again.stdout == ran.stdout
    docs = "".join(json.dumps({"text": line, "bucket": "?"}) + "\n" for line in lines.splitlines())
    ran = run("score", "story.npz", "--smoothing", "wb", "--buckets", "30,60", "--jsonl", "text", stdin=docs)
    assert [json.loads(line)["bucket"] for line in ran.stdout.splitlines()] == [label for label, _ in found]
    ran = run("score", "story.npz", "--smoothing", "wb", "--cut", cut, "--each", "line", stdin=lines)
    assert ran.stdout.startswith("bucket\ttext\t")


# ------------------------------------------------------------ several models


def test_several_models_are_compared(run, inside):
    args = ["score", "story.npz", "--model", "other.npz", "--model", "spaces.npz", "--smoothing", "wb"]
    ran = run(*args, "--json", stdin=STORY)
    out = json.loads(ran.stdout)
    assert [o["model"] for o in out] == ["story.npz", "other.npz", "spaces.npz"]
    alone = json.loads(run("score", "story.npz", "--smoothing", "wb", "--json", stdin=STORY).stdout)
    assert out[0] == {"model": "story.npz", **alone}
    assert out[1]["oov"] == 15
    ran = run(*args, stdin=STORY)
    head, _, *rows = ran.stdout.splitlines()
    assert head.split("  ")[0] == "model"
    assert [row.split()[:3] for row in rows] == [["story", "18", "0"], ["other", "18", "15"], ["spaces", "18", "0"]]


def test_classify_names_the_best_model_of_each_line(run, inside):
    text = "the dog sat\nil cane corre\n\nil\tgatto\r\n"
    ran = run("score", "story.npz", "--model", "other.npz", "--classify", "--smoothing", "wb", stdin=text)
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert [(r[0], r[2]) for r in rows] == [
        ("model", "line"), ("story", "the dog sat"), ("other", "il cane corre"), ("-", ""), ("other", "il\\tgatto"),
    ]  # fmt: skip
    assert ran.stderr.splitlines() == ["other\t2 lines", "story\t1 line", "-\t1 line"]
    ran = run("score", "story.npz", "--model", "other.npz", "--classify", "--smoothing", "wb", "--json", stdin=text)
    out = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [o["model"] for o in out] == ["story.npz", "other.npz", None, "other.npz"]
    # the margin is the difference of the bits of the line
    bits = [
        json.loads(run("score", m, "--each", "line", "--json", "--smoothing", "wb", stdin="il cane corre\n").stdout)[
            "bits"
        ]
        for m in ("story.npz", "other.npz")
    ]
    assert out[1]["margin_bits"] == pytest.approx(bits[0] - bits[1], abs=1e-5)


def test_mix_and_tune_weigh_the_models(run, inside):
    args = ["score", "story.npz", "--model", "other.npz", "--smoothing", "wb"]
    ran = run(*args, "--mix", "3,1", "--json", stdin=STORY + OTHER)
    out = json.loads(ran.stdout)
    assert ran.stderr == "the weights sum to 4; used: 0.75,0.25\n"
    assert (out["weights"], out["models"], out["oov"]) == ([0.75, 0.25], ["story.npz", "other.npz"], 0)
    found = json.loads(run(*args, "--tune", "story.txt", "--json").stdout)
    assert found["weights"][0] > 0.9
    assert sum(found["weights"]) == pytest.approx(1)
    assert found["bits_per_token"] <= min(found["bits_per_token_alone"]) + 1e-5  # tuning stops a little before 1,0
    ran = run(*args, "--tune", "story.txt")
    assert ran.stdout.splitlines()[-1] == "--mix 1,0"
    ran = run(*args, "--tune", "story.txt", "other.txt", "--json")
    assert ran.stderr.startswith("weights 1,0 after ")
    assert json.loads(ran.stdout)["weights"] == found["weights"]
    ran = run(*args, "--mix", "0.5,0.5", "--each", "line", stdin="the cat\n")
    assert len(ran.stdout.splitlines()) == 2


# ------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["story.npz", "nosuch.txt"], 1, "nosuch.txt: no such file"),
        (["nosuch.npz", "story.txt"], 1, "nosuch.npz"),
        (["story.npz", "empty.txt"], 1, "empty.txt: no token in 2 bytes of text"),
        (["story.npz", "empty.txt", "--each", "token"], 1, "no token"),
        (["story.npz", "empty.txt", "--each", "line"], 1, "no token"),
        (["story.npz", "empty.txt", "--buckets", "30,60"], 1, "no token"),
        (["story.npz", "other.txt"], 1, "knows none of the 9 tokens"),
        (
            ["story.npz", "story.txt", "--model", "spaces.npz", "--mix", "1,1"],
            2,
            "has tokenizer words, spaces.npz spaces",
        ),
        (["story.npz", "story.txt", "--model", "sentences.npz", "--mix", "1,1"], 2, "has unit line"),
        (["story.npz", "--model", "sentences.npz", "--tune", "story.txt"], 2, "has unit line"),
        (["story.npz", "story.txt", "--model", "other.npz", "--mix", "1"], 2, "1 weights for 2 models"),
        (["story.npz", "story.txt", "--model", "other.npz", "--mix", "1,nan"], 2, "weights must be 0 or more"),
        (["story.npz", "story.txt", "--model", "other.npz", "--mix", "1,-1"], 2, "weights must be 0 or more"),
        (["story.npz", "story.txt", "--model", "other.npz", "--mix", "1,x"], 2, "numbers with commas"),
        (["story.npz", "story.txt", "--mix", "1"], 2, "--mix needs several models"),
        (["story.npz", "story.txt", "--classify"], 2, "--classify needs several models"),
        (["story.npz", "--tune", "story.txt"], 2, "--tune needs several models"),
        (["story.npz", "--model", "other.npz", "--tune", "empty.txt"], 1, "no token"),
        (["story.npz", "--model", "story.npz", "--tune", "other.txt"], 1, "knows none of the 9 tokens"),
        (["story.npz", "story.txt", "--model", "other.npz", "--each", "line"], 2, "--each works with one model"),
        (["story.npz", "story.txt", "--each", "line", "--jsonl", "text"], 2, "exclude each other"),
        (["story.npz", "story.txt", "--each", "token", "--cut", "1,2"], 2, "--each token and --cut"),
        (["story.npz", "story.txt", "--buckets", "60,30"], 2, "--buckets 60,30: give two rising numbers"),
        (["story.npz", "story.txt", "--buckets", "30,100"], 2, "two percentiles"),
        (["story.npz", "story.txt", "--cut", "5"], 2, "--cut 5: give two rising numbers"),
        (["story.npz", "story.txt", "--min-perplexity", "nan"], 2, "not a perplexity"),
        (["story.npz", "story.txt", "--min-perplexity", "9", "--max-perplexity", "3"], 2, "no perplexity is both"),
        (["story.npz", "story.txt", "--smoothing", "knn"], 2, "no such method"),
        (["story.npz", "story.txt", "--encoding", "klingon"], 2, "unknown encoding"),
        (["-", "-"], 2, "standard input can be read only once"),
    ],
)
def test_wrong_calls_are_errors_of_two_lines(run, inside, args, code, words):
    two_lines(run("score", *args, "-q"), code, words)


def test_help_opens_with_an_example(run):
    ran = run("score", "--help")
    assert ran.code == 0
    assert "markov score book.npz" in ran.stdout
