"""Counts files and markovify's JSON, out and in."""

import gzip
import io
import json
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from conftest import Ran
from engine import model_of, rows_of, saved, sequences
from markov_cli.api import Model
from markov_cli.api import model_of as as_model
from markov_cli.changing import merge, prune
from markov_cli.cli.main import main
from markov_cli.errors import MarkovError, OptionError
from markov_cli.exchange import export_counts, export_markovify, import_counts, import_markovify
from markov_cli.formats.counts import read_counts
from markov_cli.formats.derived import derive
from markov_cli.formats.markovify import BEGIN, END, read_markovify
from markov_cli.inspecting.verify import damage
from markov_cli.model.building import build_table
from markov_cli.text.reading import Source
from strategies import prose, texts
from test_properties import loaded


def counts_of(model, order=None):
    out = io.BytesIO()
    export_counts(model, out, order)
    return out.getvalue()


def same_table(levels, model):
    """Every array of the table of these levels is that of the model."""
    table = build_table(levels, model.order)
    for a, b in zip(table.orders, model.table.orders, strict=True):
        for name in ("token", "first", "link"):
            x, y = getattr(a, name), getattr(b, name)
            assert (x is None) == (y is None)
            assert x is None or (x.dtype, x.tolist()) == (y.dtype, y.tolist())
        for name in ("count", "left"):
            x, y = getattr(a, name), getattr(b, name)
            assert x is None or x.slice(0, len(x)).tolist() == y.slice(0, len(y)).tolist()


def derived(data, order=None):
    return derive(*read_counts(Source("f", data=data)), "f", order)


@pytest.fixture
def imported(tmp_path):
    def run(data, how=import_counts, **more):
        path = tmp_path / "given"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return how(path, **more)

    return run


# ------------------------------------------------------------ counts, out and in


def test_the_lines_of_a_small_model():
    # <s> a b a </s>, <s> b </s>: 3 tokens and 1
    model = as_model(model_of("a b a\nb", 3, "spaces", "line"))
    assert counts_of(model).decode().splitlines() == [
        "<s>\t2", "</s>\t2", "a\t2", "b\t2",
        "<s> a\t1", "<s> b\t1", "a </s>\t1", "a b\t1", "b </s>\t1", "b a\t1",
        "<s> a b\t1", "<s> b </s>\t1", "a b a\t1", "b a </s>\t1",
    ]  # fmt: skip
    assert counts_of(model, 2).decode().splitlines()[-1] == "b a\t1"


@settings(max_examples=30)
@given(st.one_of(prose, texts), st.integers(1, 6), st.sampled_from(["words", "words", "spaces", "bytes", "regex"]))
def test_what_goes_out_comes_in_again(text, order, tokenizer):
    """The same arrays, from all orders and from the longest with the short sequences alone."""
    try:
        model = as_model(model_of(text, order, tokenizer, "line"))
    except MarkovError:
        return
    data = counts_of(model)
    found = derived(data, order)
    own = model.lexicon.types()
    assert [found.types.bytes_of(i) for i in range(len(own))] == [own.bytes_of(i) for i in range(len(own))]
    same_table(found.levels, model)
    if order > 1:
        longest = [
            line
            for k in range(2, order + 1)
            for line in counts_of(model, k).splitlines(keepends=True)
            if k == order or (line.startswith(b"<s> ") and b" </s>\t" in line)
        ]
        same_table(derived(b"".join(longest), order).levels, model)


def test_chars_go_out_and_come_in(names):
    model = as_model(model_of(names, 4, "chars", "line"))
    same_table(derived(counts_of(model)).levels, model)


@settings(max_examples=10)
@given(prose, st.integers(1, 4), st.randoms())
def test_the_order_of_lines_says_nothing(text, order, random):
    try:
        model = as_model(model_of(text, order, unit="line"))
    except MarkovError:
        return
    lines = counts_of(model).splitlines(keepends=True)
    random.shuffle(lines)
    same_table(derived(b"".join(lines), order).levels, model)


def test_what_others_write(imported):
    """Spaces or tabs between words, CR LF, blank lines, <UNK>, a byte order mark, counts of 0, gzip."""
    plain = "<s>\t1\n</s>\t1\na\t1\n<unk>\t1\n<s> a\t1\na <unk>\t1\n<unk> </s>\t1\n"
    odd = "\ufeff<s> 1\r\n\n</s>   1\na\t1\n<UNK>\t1\n <s>\ta\t1\na <UNK> 1\na a 0\n<UNK> </s>\t001"
    for data in (plain.encode(), odd.encode(), gzip.compress(plain.encode())):
        model = imported(data)
        rows = rows_of(model.table)
        assert rows[1] == {(1, 3): 1, (3, 0): 1, (0, 2): 1}
        assert (model.header.tokens, model.header.sequences, model.header.max_types) == (2, 1, 1)
        buffer = io.BytesIO()
        model.save(buffer)
        assert damage(loaded(buffer.getvalue()).file) == []


def test_blocks_end_within_lines(harbour, monkeypatch):
    from markov_cli.formats import counts

    model = as_model(model_of(harbour[:3000], 3))
    data = counts_of(model)
    for size in (7, 1000):
        monkeypatch.setattr(counts, "_BLOCK_BYTES", size)
        same_table(derived(data).levels, model)


def test_the_options_of_an_import(imported, story):
    data = counts_of(as_model(model_of(story, lowercase=True)))
    model = imported(data, tokenizer="words", unit="sentence", lowercase=True)
    assert vars(model.header.options) == vars(model_of(story, lowercase=True).header.options)
    assert imported(data).header.options.tokenizer == "spaces"
    with pytest.raises(OptionError, match="--pattern"):
        imported(data, pattern="a")


WHOLE = ["<s>\t2", "</s>\t2", "a\t3", "b\t1", "<s> a\t2", "a </s>\t1", "a b\t1", "a a\t1", "b </s>\t1"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"a\t3": "a\t4"}, "line 3: 'a' 4 times, but n-grams of order 2 make it 3"),
        ({"a b\t1": "a b\t2"}, "line 3: 'a' 3 times, but n-grams of order 2 make it 4"),
        ({"a b\t1": ""}, "'a' 3 times, but n-grams of order 2 make it 2"),
        ({"b\t1": ""}, "'b' opens n-grams of order 2, and is not among those of order 1"),
        ({"a b\t1": "a b\t1\na b\t1"}, "line 3"),
        ({"a\t3": "a\t3\na\t3"}, "line 4: 'a' for the second time"),
        ({"a\t3": "a\t-3"}, "line 3: '-3' is no whole count"),
        ({"a\t3": "a\tNaN"}, "line 3: 'NaN' is no whole count"),
        ({"a\t3": "a\t3.5"}, "line 3: '3.5' is no whole count"),
        ({"a\t3": "a\t9999999999999999999"}, "line 3: '9999999999999999999' is no whole count"),
        ({"a\t3": "a"}, "line 3: a count without words, or words without a count"),
        ({"a b\t1": "a <s>\t1"}, "line 7: 'a <s>': a marker where none can stand"),
        ({"a b\t1": "</s> b\t1"}, "line 7: '</s> b': a marker where none can stand"),
        ({"b </s>\t1": "b </s>"}, "line 9: '</s>' is no whole count"),
        ({"b </s>\t1": "c </s>\t1"}, "line 4: 'b' 1 times, but n-grams of order 2 make it 0"),
    ],
)
def test_counts_that_contradict_each_other(imported, change, what):
    text = "\n".join(change.get(line, line) for line in WHOLE)
    assert imported("\n".join(WHOLE)).header.tokens == 4
    with pytest.raises(MarkovError) as caught:
        imported(text)
    assert what in caught.value.message, caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        # a opens two windows, and one stands behind <s>
        (["<s> a b\t1", "a b </s>\t2"], "'a' begins n-grams seen 2 times and ends such seen 1 time"),
        (["<s> a b\t1", "a b c\t1"], "'b' begins n-grams seen 0 times"),
        (["<s> a b\t1", "a b c\t1", "b d </s>\t1"], "'a b c', but nothing begins with 'b c'"),
        (["<s> a\t1", "a b\t1", "b a\t1"], "'a' begins n-grams seen 1 times and ends such seen 2 times"),
        (["<s> a b\t1", "a b </s>\t1", "a b </s>\t1"], "for the second time"),
        (["a\t1"], "no </s>"),
        (["a\t1", "<s>\t2", "</s>\t3"], "2 <s> and 3 </s>"),
        ([], "no n-gram"),
        (["", " ", "\t"], "no n-gram"),
    ],
)
def test_the_longest_n_grams_alone_can_contradict_each_other(imported, lines, what):
    with pytest.raises(MarkovError) as caught:
        imported("\n".join(lines))
    assert what in caught.value.message, caught.value.message


def test_any_file_cut_short_is_an_error(imported):
    """At a line's end or within it: what is left contradicts itself, but where the last character alone is gone."""
    data = counts_of(as_model(model_of("a b a c. b a b", 3)))
    for cut in range(len(data) - 1):
        with pytest.raises(MarkovError):
            imported(data[:cut], order=3)
    assert imported(data[:-1]).order == 3


def test_pruned_models_do_not_come_in_again(imported):
    model = prune(as_model(model_of("a b a b a c a c. d e")), (0, 1))
    with pytest.raises(MarkovError, match="n-grams of order 3"):
        imported(counts_of(model))


def test_weighted_counts_go_out(story):
    model = as_model(model_of(story))
    lines = counts_of(merge([model, model], [0.5, 1.75])).decode().splitlines()
    whole = counts_of(model).decode().splitlines()
    assert [(a.split("\t")[0], float(a.split("\t")[1])) for a in lines] == [
        (b.split("\t")[0], 2.25 * int(b.split("\t")[1])) for b in whole
    ]


def test_an_order_that_is_not_there(story):
    model = as_model(model_of(story))
    for order in (0, 4):
        with pytest.raises(OptionError, match=f"--order {order}: the model has 1 to 3"):
            counts_of(model, order)


# ------------------------------------------------------------ markovify


def chain_of(found, size):
    """What markovify's Chain holds of sequences of words: {state: {word: count}}."""
    chain = defaultdict(Counter)
    for words in found:
        items = [BEGIN] * size + [w.decode() for w, _ in words] + [END]
        for i in range(len(words) + 1):
            chain[tuple(items[i : i + size])][items[i + size]] += 1
    return {state: dict(after) for state, after in chain.items()}


def markovify_of(model):
    out = io.BytesIO()
    export_markovify(model, out)
    return json.loads(out.getvalue())


def as_dict(chain):
    return {tuple(state): after for state, after in json.loads(chain)}


@settings(max_examples=20)
@given(prose, st.integers(1, 4))
def test_chains_go_out_and_come_in(text, size):
    found = oracle.sequences(text, "spaces", "line")
    if not found:
        return
    chain = chain_of(found, size)
    model = as_model(model_of(text, size + 1, "spaces", "line"))
    out = markovify_of(model)
    assert (out["state_size"], out["parsed_sentences"]) == (size, None)
    assert as_dict(out["chain"]) == chain
    items = json.dumps([*chain.items()])
    running = json.dumps([[s, [[*a], list(_sums(a.values()))]] for s, a in chain.items()])
    for data in (items, json.dumps({"state_size": size, "chain": items}), running):
        given, types, order = read_markovify(data.encode(), "f")
        assert order == size + 1
        same_table(derive(given, types, "f", order).levels, model)


def _sums(values):
    total = 0
    for v in values:
        total += v
        yield total


def test_markovify_itself_reads_and_writes_them(harbour, imported):
    markovify = pytest.importorskip("markovify")

    class Lines(markovify.NewlineText):
        def test_sentence_input(self, sentence):
            return bool(sentence.strip())

    for size in (1, 3):
        theirs = Lines(harbour, state_size=size)
        model = imported(theirs.to_json(), import_markovify)
        out = io.BytesIO()
        export_markovify(model, out)
        again = markovify.NewlineText.from_json(out.getvalue().decode())
        assert again.chain.model == theirs.chain.model
        assert again.make_sentence(test_output=False)
        text = "\n".join(" ".join(words) for words in theirs.parsed_sentences)
        assert rows_of(model.table) == rows_of(model_of(text, size + 1, "spaces", "line").table)


def test_types_that_look_alike_become_one(story):
    model = as_model(model_of(story))
    found = [[(w, 0) for w, _ in s] for s in sequences(story)]
    assert as_dict(markovify_of(model)["chain"]) == chain_of(found, 2)


def test_rare_types_go_out_as_unk():
    model = prune(as_model(model_of("a b a c", 2, "spaces")), max_types=1)  # <s> a <unk> a <unk> </s>
    assert as_dict(markovify_of(model)["chain"]) == {
        (BEGIN,): {"a": 1}, ("a",): {"<unk>": 2}, ("<unk>",): {"a": 1, END: 1},
    }  # fmt: skip


def test_what_markovify_cannot_hold(story):
    for trained, what in (
        (model_of(story, 1), "order 1"),
        (model_of(story, prune=(0, 0, 1)), "pruned"),
        (model_of(f"a {END} b", tokenizer="spaces"), END),
    ):
        with pytest.raises(MarkovError, match=what):
            markovify_of(as_model(trained))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("{}", "without a 'chain'"),
        ("[]", "a chain without states"),
        ('{"chain": 5}', "a chain without states"),
        ('{"chain": "[[["}', "no JSON"),
        ("[1]", "a state without what follows it"),
        ('[["a", {"b": 1}]]', "its first state has no words"),
        ('[[["a"], {"b": 1}], [["a", "b"], {"c": 1}]]', "a state that has not 1 words"),
        ('[[["a"], 5]]', "no counts behind"),
        ('[[["a"], [["b"], []]]]', "no counts behind"),
        ('[[["a"], [["b"], ["x"]]]]', "no counts behind"),
        ('[[["a"], {"b": "1"}]]', "1 is no whole count"),
        ('[[["a"], {"b": 0.5}]]', "0.5 is no whole count"),
        ('[[["a"], {"b": -1}]]', "-1 is no whole count"),
        ('[[["a"], {"b": NaN}]]', "nan is no whole count"),
        ('[[["a"], {"b": Infinity}]]', "inf is no whole count"),
        ('[[["a"], {"b": true}]]', "True is no whole count"),
        ('[[[5], {"b": 1}]]', "no text"),
        ('[[[["a"]], {"b": 1}]]', "no text"),
        ('[[[""], {"b": 1}]]', "a word that is empty"),
        ('[[["\\ud800"], {"b": 1}]]', "half a character"),
        (f'[[["a", "{BEGIN}"], {{"b": 1}}]]', "where it cannot stand"),
        (f'[[["{END}"], {{"b": 1}}]]', "where it cannot stand"),
        (f'[[["a"], {{"{BEGIN}": 1}}]]', "a marker where none can stand"),
        (f'[[["{BEGIN}"], {{"a": 1}}]]', "'a' begins n-grams seen 0 times"),
        (f'[[["{BEGIN}"], {{"a": 1}}], [["a"], {{"{END}": 2}}]]', "'a' begins n-grams seen 2 times"),
        (f'[[["{BEGIN}"], {{"a": 1}}], [["a"], {{"{END}": 1}}], [["a"], {{"{END}": 1}}]]', "second time"),
    ],
)
def test_what_is_no_model_of_markovifys(imported, data, what):
    with pytest.raises(MarkovError) as caught:
        imported(data, import_markovify)
    assert what in caught.value.message, caught.value.message
    assert "\n" not in caught.value.message and len(caught.value.message) < 300


# ------------------------------------------------------------ the commands


@pytest.fixture(scope="module")
def folder(tmp_path_factory, corpora):
    here = tmp_path_factory.mktemp("exchange")
    lines = (corpora / "harbour.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    for name, text in (("a", lines[:300]), ("b", lines[300:])):
        (here / f"{name}.txt").write_text("".join(text), encoding="utf-8")
        model = as_model(model_of("".join(text), unit="line"))
        model.save(here / f"{name}.npz")
    (here / "whole.npz").write_bytes(saved(model_of("".join(lines), unit="line")))
    (here / "pruned.npz").write_bytes(saved(model_of("".join(lines), unit="line", prune=(0, 0, 1))))
    return here


@pytest.fixture
def here(capfdbinary, monkeypatch):
    """The program in this process, which starts sooner: what `run` gives."""

    def go(*args, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main.main([str(a) for a in args])
        out, err = capfdbinary.readouterr()
        return Ran(subprocess.CompletedProcess(args, ended.value.code or 0, out, err))

    return go


def refused(ran, code, *words):
    assert ran.code == code, ran.stderr
    assert ran.stdout_bytes == b""
    one, two = ran.stderr.splitlines()
    assert one.startswith("markov: ") and two.startswith("  ")
    for word in words:
        assert word in ran.stderr


def test_merge_and_update_from_the_shell(run, folder):
    whole = (folder / "whole.npz").read_bytes()
    out = folder / "m.npz"
    ran = run("merge", folder / "a.npz", folder / "b.npz", "-o", out, "--json")
    assert ran.code == 0, ran.stderr
    assert out.read_bytes() == whole
    assert {k: json.loads(ran.stdout)[k] for k in ("tokens", "sequences", "model_bytes")} == {
        "tokens": 9119, "sequences": 610, "model_bytes": len(whole),
    }  # fmt: skip
    assert ran.stderr.startswith("holds    9,119 tokens of 1,405 types in 610 sequences (one a line)\n")
    piped = run("merge", folder / "a.npz", folder / "b.npz", "-o", "-", "-q")
    assert (piped.stdout_bytes, piped.stderr) == (whole, "")
    out.write_bytes((folder / "a.npz").read_bytes())
    ran = run("train", folder / "b.txt", "--update", out, "-o", out, "-q")  # in its own place
    assert (ran.code, ran.stderr) == (0, "")
    assert out.read_bytes() == whole
    given = run("train", folder / "b.txt", "--update", folder / "a.npz", "--unit", "line", "-o", out, "--json")
    assert given.code == 0
    assert out.read_bytes() == whole
    assert json.loads(given.stdout)["repairs"]["empty_sequences"] == 113


def test_prune_from_the_shell(run, here, folder):
    out = folder / "p.npz"
    assert run("prune", folder / "whole.npz", "--prune", "0,0,1", "-o", out, "-q").code == 0
    assert out.read_bytes() == (folder / "pruned.npz").read_bytes()
    ran = run("prune", folder / "whole.npz", "--max-types", "100", "-o", out, "--json")
    assert (json.loads(ran.stdout)["types"], json.loads(ran.stdout)["tokens"]) == (100, 9119)
    assert json.loads(here("inspect", out, "--json").stdout)["max_types"] == 100
    assert "the 100 commonest types" in here("inspect", out).stdout
    assert here("inspect", out, "--verify").code == 0


def test_weights_from_the_shell(here, folder):
    out = folder / "w.npz"
    ran = here("merge", folder / "a.npz", folder / "b.npz", "--weight", "0.5", "--weight", "2", "-o", out)
    assert ran.code == 0, ran.stderr
    assert json.loads(here("inspect", out, "--json").stdout)["holds"] == "weighted counts"
    found = json.loads(here("inspect", out, "the", "harbour", "--json").stdout)
    with Model.load(folder / "a.npz") as a, Model.load(folder / "b.npz") as b:
        totals = [m.followers("the harbour").total for m in (a, b)]
    assert found["total"] == 0.5 * totals[0] + 2 * totals[1]
    refused(here("generate", out, "--smoothing", "kn"), 1, "--smoothing kn needs whole counts")


def test_export_and_import_from_the_shell(run, folder):
    tsv, back = folder / "w.tsv", folder / "back.npz"
    ran = run("export", folder / "whole.npz", "--format", "counts", "-o", tsv, "--json")
    assert (ran.code, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["bytes"] == tsv.stat().st_size
    assert run("export", folder / "whole.npz", "--format", "counts", "-o", "-").stdout_bytes == tsv.read_bytes()
    ran = run("import", tsv, "-o", back, "--tokenizer", "words")
    assert ran.stderr.startswith("holds    9,119 tokens of 1,405 types in 610 sequences (one a line)\n")
    with Model.load(back) as one, Model.load(folder / "whole.npz") as other:
        assert rows_of(one.table) == rows_of(other.table)
        assert [t.text for t in one.generate(5, 1)] == [t.text for t in other.generate(5, 1)]
    ran = run("export", folder / "whole.npz", "--format", "markovify", "-o", folder / "w.json")
    assert "markovify writes a space" in ran.stderr
    assert run("import", folder / "w.json", "-o", back, "-q").code == 0
    ran = run(
        "import", "-", "-o", back, "--format", "counts", "-q", stdin="<s>\t1\n</s>\t1\na\t1\n<s> a\t1\na </s>\t1\n"
    )
    assert (ran.code, ran.stderr) == (0, "")
    assert run("generate", back, "-s", 1).stdout == "a\n"


@pytest.mark.parametrize("data", [b"a\tx\n", b"{", b"\xff\xfe\x00", b"a\t1\n", b"PK\x03\x04\x00 \t 7"])
def test_a_failed_import_leaves_what_was_there(here, folder, data):
    (folder / "bad").write_bytes(data)
    before = (folder / "a.npz").read_bytes()
    refused(here("import", folder / "bad", "-o", folder / "a.npz"), 1, "bad")
    assert (folder / "a.npz").read_bytes() == before
    assert not [*folder.glob(".*")]


def test_usage_of_the_new_commands(here, folder):
    a, out = folder / "a.npz", folder / "none.npz"
    assert here("merge").code == 2
    refused(here("merge", a), 2, "no -o")
    refused(here("merge", a, folder / "nope.npz", "-o", out), 1, "nope.npz: No such file")
    refused(here("merge", a, folder / "pruned.npz", "-o", out), 1, "pruned (0,0,1)")
    refused(here("merge", a, a, "--weight", "1", "--weight", "-1", "-o", out), 2, "--weight -1.0: no weight")
    refused(here("prune", a, "-o", out), 2, "nothing to prune by")
    refused(here("prune", folder / "pruned.npz", "--max-types", "5", "-o", out), 1, "pruned.npz: pruned (0,0,1)")
    refused(here("train", folder / "b.txt", "--update", a, "-n", "4", "-o", out), 2, "--order 4, but", "with 3")
    refused(here("train", folder / "b.txt", "--update", folder / "pruned.npz", "-o", out), 1, "pruned")
    refused(here("export", a, "-o", out), 2, "no --format")
    refused(here("export", a, "--format", "markovify", "--order", "2", "-o", out), 2, "--order is not for")
    refused(here("import", folder / "nope", "-o", out), 1, "no such file")
    refused(here("import", "-", "-o", out, stdin=b"a\t1"), 2, "what format is it?")
    assert not out.exists()
