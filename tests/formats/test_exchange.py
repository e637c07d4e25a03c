"""Export and import of counts files and of markovify's JSON."""

import gzip
import io
import json
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from conftest import examples, peer
from engine import model_of, rows_of, sequences
from helpers import loaded
from markov_cli.api.combine import merge, prune
from markov_cli.api.convert import export_counts, export_markovify
from markov_cli.api.importing import import_counts, import_markovify
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import MarkovError, OptionError
from markov_cli.formats.lower_orders import derive
from markov_cli.formats.markovify import BEGIN, END, read_markovify
from markov_cli.formats.ngram_counts import read_counts
from markov_cli.formats.ngram_listing import Notes
from markov_cli.formats.opening import open_file
from markov_cli.inspecting.verify import damage
from markov_cli.model.building import build_table
from markov_cli.text.reading import Source
from strategies import prose, texts


def counts_of(model, order=None):
    out = io.BytesIO()
    export_counts(model, out, order=order)
    return out.getvalue()


def same_table(levels, model):
    """Check that the table built from these levels equals the model's, array by array."""
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
    return derive(*read_counts([open_file(Source("f", data=data))], Notes()), "f", order)


@pytest.fixture
def imported(tmp_path):
    def run(data, how=import_counts, **more):
        path = tmp_path / "given"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return how(path, **more)

    return run


# ------------------------------------------------------------ counts


def test_a_small_model_has_these_lines():
    # <s> a b a </s>, <s> b </s>: 3 tokens and 1
    model = as_model(model_of("a b a\nb", 3, "spaces", "line"))
    assert counts_of(model).decode().splitlines() == [
        "<s>\t2", "</s>\t2", "a\t2", "b\t2",
        "<s> a\t1", "<s> b\t1", "a </s>\t1", "a b\t1", "b </s>\t1", "b a\t1",
        "<s> a b\t1", "<s> b </s>\t1", "a b a\t1", "b a </s>\t1",
    ]  # fmt: skip
    assert counts_of(model, 2).decode().splitlines()[-1] == "b a\t1"


@examples(30)
@given(st.one_of(prose, texts), st.integers(1, 6), st.sampled_from(["words", "words", "spaces", "bytes", "regex"]))
def test_exported_counts_come_back(text, order, tokenizer):
    """From all orders, and from the highest order with the shorter sequences."""
    try:
        model = as_model(model_of(text, order, tokenizer, "line"))
    except MarkovError:
        return
    data = counts_of(model)
    found = derived(data, order)
    own = model.vocabulary.types()
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


def test_exported_counts_of_characters_come_back(names):
    model = as_model(model_of(names, 4, "chars", "line"))
    same_table(derived(counts_of(model)).levels, model)


@examples(10)
@given(prose, st.integers(1, 4), st.randoms())
def test_the_order_of_lines_changes_nothing(text, order, random):
    try:
        model = as_model(model_of(text, order, unit="line"))
    except MarkovError:
        return
    lines = counts_of(model).splitlines(keepends=True)
    random.shuffle(lines)
    same_table(derived(b"".join(lines), order).levels, model)


def test_variants_of_other_programs_are_read(imported):
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


def test_blocks_may_end_within_lines(harbour, monkeypatch):
    from markov_cli.formats import ngram_counts

    model = as_model(model_of(harbour[:3000], 3))
    data = counts_of(model)
    for size in (7, 1000):
        monkeypatch.setattr(ngram_counts, "_BLOCK_BYTES", size)
        same_table(derived(data).levels, model)


def test_options_of_an_import_are_those_given(imported, story):
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
        ({"b\t1": ""}, "'b' begins n-grams of order 2, but is not listed in order 1"),
        ({"a b\t1": "a b\t1\na b\t1"}, "line 3"),
        ({"a\t3": "a\t3\na\t3"}, "line 4: 'a' is repeated"),
        ({"a\t3": "a\t-3"}, "line 3: '-3' is not a whole count"),
        ({"a\t3": "a\tNaN"}, "line 3: 'NaN' is not a whole count"),
        ({"a\t3": "a\t3.5"}, "line 3: '3.5' is not a whole count"),
        ({"a\t3": "a\t9999999999999999999"}, "line 3: '9999999999999999999' is not a whole count"),
        ({"a\t3": "a"}, "line 3: a count without words, or words without a count"),
        ({"a b\t1": "a <s>\t1"}, "line 7: 'a <s>': a marker inside the n-gram"),
        ({"a b\t1": "</s> b\t1"}, "line 7: '</s> b': a marker inside the n-gram"),
        ({"b </s>\t1": "b </s>"}, "line 9: '</s>' is not a whole count"),
        ({"b </s>\t1": "c </s>\t1"}, "line 4: 'b' 1 times, but n-grams of order 2 make it 0"),
    ],
)
def test_counts_that_contradict_each_other_are_errors(imported, change, what):
    text = "\n".join(change.get(line, line) for line in WHOLE)
    assert imported("\n".join(WHOLE)).header.tokens == 4
    with pytest.raises(MarkovError) as caught:
        imported(text)
    assert what in caught.value.message, caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        # a begins 2 n-grams, and ends only one, after <s>
        (["<s> a b\t1", "a b </s>\t2"], "n-grams that begin with 'a' have the total count 2, those that end with it 1"),
        (["<s> a b\t1", "a b c\t1"], "n-grams that begin with 'b' have the total count 0"),
        (["<s> a b\t1", "a b c\t1", "b d </s>\t1"], "'a b c', but no n-gram begins with 'b c'"),
        (
            ["<s> a\t1", "a b\t1", "b a\t1"],
            "n-grams that begin with 'a' have the total count 1, those that end with it 2",
        ),
        (["<s> a b\t1", "a b </s>\t1", "a b </s>\t1"], "is repeated"),
        (["a\t1"], "no </s>"),
        (["a\t1", "<s>\t2", "</s>\t3"], "2 <s>, but 3 </s>"),
        ([], "no n-gram"),
        (["", " ", "\t"], "no n-gram"),
    ],
)
def test_longest_ngrams_that_contradict_each_other_are_errors(imported, lines, what):
    with pytest.raises(MarkovError) as caught:
        imported("\n".join(lines))
    assert what in caught.value.message, caught.value.message


def test_a_counts_file_cut_short_is_an_error(imported):
    """The rest contradicts itself, unless only the last newline is missing."""
    data = counts_of(as_model(model_of("a b a c. b a b", 3)))
    for cut in range(len(data) - 1):
        with pytest.raises(MarkovError):
            imported(data[:cut], order=3)
    assert imported(data[:-1]).order == 3


def test_orders_longer_than_every_sequence_come_back(imported):
    data = counts_of(as_model(model_of("a b\nc", 4, "spaces", "line")))
    for order in (4, 5, 300):
        model = imported(data, order=order)
        same_table(derived(data, order).levels, as_model(model_of("a b\nc", order, "spaces", "line")))
        assert model.order == order
    with pytest.raises(MarkovError, match="--order 1,048,577"):
        imported(data, order=(1 << 20) + 1)
    with pytest.raises(MarkovError, match="n-grams of order 4, above 2"):
        imported(data, order=2)


def test_very_long_lines_are_refused(imported, monkeypatch):
    words = " ".join(f"w{i}" for i in range(5000))
    with pytest.raises(MarkovError, match="line 2: an n-gram of 5,002 words, more than 1,000"):
        imported(f"<s> w1\t1\n<s> {words} </s>\t1\n")
    from markov_cli.formats import ngram_counts, opening

    monkeypatch.setattr(ngram_counts, "_BLOCK_BYTES", 100)
    monkeypatch.setattr(opening, "LONGEST_LINE", 10_000)
    with pytest.raises(MarkovError, match="line 2: more than 10,000 bytes"):
        imported(f"<s> w1\t1\n{words}")


def test_weighted_counts_are_exported(story):
    model = as_model(model_of(story))
    lines = counts_of(merge([model, model], [0.5, 1.75])).decode().splitlines()
    whole = counts_of(model).decode().splitlines()
    assert [(a.split("\t")[0], float(a.split("\t")[1])) for a in lines] == [
        (b.split("\t")[0], 2.25 * int(b.split("\t")[1])) for b in whole
    ]


def test_an_order_the_model_lacks_is_refused(story):
    model = as_model(model_of(story))
    for order in (0, 4):
        with pytest.raises(OptionError, match=f"--order {order}: the model has 1 to 3"):
            counts_of(model, order)


# ------------------------------------------------------------ markovify


def chain_of(found, size):
    """The Chain that markovify makes of sequences of words: {state: {word: count}}."""
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


@examples(20)
@given(prose, st.integers(1, 4))
def test_exported_chains_equal_markovifys_and_come_back(text, size):
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
    markovify = peer("markovify")

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


def test_types_with_equal_bytes_become_one_word(story):
    model = as_model(model_of(story))
    found = [[(w, 0) for w, _ in s] for s in sequences(story)]
    assert as_dict(markovify_of(model)["chain"]) == chain_of(found, 2)


def test_unk_is_exported_as_a_word():
    model = prune(as_model(model_of("a b a c", 2, "spaces")), max_types=1)  # <s> a <unk> a <unk> </s>
    assert as_dict(markovify_of(model)["chain"]) == {
        (BEGIN,): {"a": 1}, ("a",): {"<unk>": 2}, ("<unk>",): {"a": 1, END: 1},
    }  # fmt: skip


def test_models_that_markovify_cannot_hold_are_refused(story):
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
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "without a 'chain'"),
        ("[]", "a chain without states"),
        ('{"chain": 5}', "a chain without states"),
        ('{"chain": "[[["}', "not JSON"),
        ("[1]", "a state without followers"),
        ('[["a", {"b": 1}]]', "its first state has no words"),
        ('[[["a"], {"b": 1}], [["a", "b"], {"c": 1}]]', "a state without 1 words"),
        ('[[["a"], 5]]', "no counts after"),
        ('[[["a"], [["b"], []]]]', "no counts after"),
        ('[[["a"], [["b"], ["x"]]]]', "no counts after"),
        ('[[["a"], {"b": "1"}]]', "1 is not a whole count"),
        ('[[["a"], {"b": 0.5}]]', "0.5 is not a whole count"),
        ('[[["a"], {"b": -1}]]', "-1 is not a whole count"),
        ('[[["a"], {"b": NaN}]]', "nan is not a whole count"),
        ('[[["a"], {"b": Infinity}]]', "inf is not a whole count"),
        ('[[["a"], {"b": true}]]', "True is not a whole count"),
        ('[[[5], {"b": 1}]]', "not text"),
        ('[[[["a"]], {"b": 1}]]', "not text"),
        ('[[[""], {"b": 1}]]', "a word that is empty"),
        ('[[["\\ud800"], {"b": 1}]]', "half a character"),
        (f'[[["a", "{BEGIN}"], {{"b": 1}}]]', "in a wrong place"),
        (f'[[["{END}"], {{"b": 1}}]]', "in a wrong place"),
        (f'[[["a"], {{"{BEGIN}": 1}}]]', "a marker inside the n-gram"),
        (f'[[["{BEGIN}"], {{"a": 1}}]]', "n-grams that begin with 'a' have the total count 0"),
        (f'[[["{BEGIN}"], {{"a": 1}}], [["a"], {{"{END}": 2}}]]', "n-grams that begin with 'a' have the total count 2"),
        (f'[[["{BEGIN}"], {{"a": 1}}], [["a"], {{"{END}": 1}}], [["a"], {{"{END}": 1}}]]', "is repeated"),
    ],
)
def test_malformed_markovify_models_are_errors(imported, data, what):
    with pytest.raises(MarkovError) as caught:
        imported(data, import_markovify)
    assert what in caught.value.message, caught.value.message
    assert "\n" not in caught.value.message and len(caught.value.message) < 300
