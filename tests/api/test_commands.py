"""Each command of the program has its function in `markov_cli`, and both give the same answer.

ROWS is the table: the command with its options, and the call. A command without a row makes a test fail.
"""

import json
import shlex
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import click
import pytest

import markov_cli as m
from markov_cli.cli.main import main

NO_FUNCTION = {"completion", "man"}  # for a shell and for `man`: there is nothing to call
TEXT = "The cat sat on the mat. The dog sat on the log. A cat saw the dog.\n"
OTHER = "The cat saw a log. The dog sat.\n"
LINE = "the code of {name} is {d} {d}"
VARIES = {"seconds"}
NOT_SAVED = ("model", "model_bytes")  # the call leaves its model in memory


@dataclass
class Row:
    """One command and its call.

    options  `MODEL`, `TEXT`, ... stand for files in the folder
    call     the function, with the paths of these files by their names in lower case
    without  keys of the JSON that tell of files that only the command writes
    """

    options: str
    call: Any
    without: tuple[str, ...] = ()


def lines_of(results):
    return [one.to_dict() for one in results]


ROWS = {
    "train": [
        Row("TEXT -n 2 -o OUT", lambda f: written(m.train_file(f.text, f.out, order=2))),
        Row("TEXT --lowercase -o OUT", lambda f: trained(m.train([f.text], lowercase=True)), NOT_SAVED),
        Row("TEXT --vocab WORDS -o OUT", lambda f: trained(m.train(f.text, vocab=f.words)), (*NOT_SAVED, "vocab")),
        Row(
            "TEXT --prune-vocab WORDS -o OUT",
            lambda f: trained(m.train(f.text, prune_vocab=f.words)),
            (*NOT_SAVED, "vocab"),
        ),
        Row("TEXT --no-borders -o OUT", lambda f: trained(m.train(f.text, borders=False)), NOT_SAVED),
        Row("TEXT --max-types 4 -o OUT", lambda f: trained(m.train(f.text, max_types=4)), NOT_SAVED),
        Row(
            "JSONL --jsonl text -n 2 --skip-bad -o OUT",
            lambda f: trained(m.train(f.jsonl, jsonl="text", order=2, skip_bad=True)),
            NOT_SAVED,
        ),
        Row("COUNTED --weights -o OUT", lambda f: trained(m.train(f.counted, weights=True)), NOT_SAVED),
        Row(
            "JSONL --jsonl text --group-by id -o GROUPS",
            lambda f: m.train_groups(f.jsonl, f.groups, jsonl="text", group_by="id").to_dict(),
        ),
        Row("OTHER --update MODEL -o OUT", lambda f: trained(m.update(f.model, f.other)), NOT_SAVED),
        Row("OTHER --update MODEL -o OUT", lambda f: written(m.update_file(f.model, f.other, f.out))),
    ],
    "generate": [
        Row("MODEL -c 4 -s 5", lambda f: lines_of(m.Model.load(f.model).generate(4, 5))),
        Row(
            "MODEL -c 2 -s 5 --contains cat",
            lambda f: lines_of(m.Model.load(f.model).generate(2, 5, constraints=m.Constraints(contains=["cat"]))),
        ),
        Row(
            "MODEL -c 2 -s 5 --corpus OTHER",
            lambda f: lines_of(m.Model.load(f.model).generate(2, 5, corpus=f.other)),
        ),
        Row(
            "MODEL -c 2 -s 5 --corpus JSONL --jsonl text",
            lambda f: lines_of(m.Model.load(f.model).generate(2, 5, corpus=f.jsonl, jsonl="text")),
        ),
        Row(
            "MODEL --model SECOND --mix 0.5,0.5 -c 3 -s 5",
            lambda f: lines_of(m.Mixture([f.model, f.second], [0.5, 0.5]).generate(3, 5)),
        ),
        Row(
            "MODEL --stream -c 2 -s 5 --smoothing kn",
            lambda f: lines_of(takewhile(lambda one: one.index < 2, m.Model.load(f.model).stream(5, smoothing="kn"))),
        ),
    ],
    "explore": [
        Row("MODEL --once --prompt The -s 1", lambda f: m.explore(f.model, "The", seed=1).state().to_dict(), ("seed",)),
        Row(
            "MODEL --once --smoothing kn --top 3 --temperature 0.5",
            lambda f: m.explore(f.model, smoothing="kn", temperature=0.5).state(3).to_dict(),
            ("seed",),
        ),
    ],
    "inspect": [
        Row("MODEL --top 3", lambda f: m.inspect(f.model, top=3).to_dict()),
        Row("MODEL the cat", lambda f: m.inspect_history(f.model, "the cat").to_dict()),
        Row(
            "MODEL --at-start --smoothing wb --top 2",
            lambda f: m.inspect_history(f.model, at_start=True, smoothing="wb", top=2).to_dict(),
        ),
        Row("MODEL --vocab", lambda f: {"model": str(f.model), "types": m.vocabulary(f.model)}),
        Row("MODEL --verify", lambda f: m.verify(f.model).to_dict()),
    ],
    "score": [
        Row("MODEL OTHER", lambda f: m.score(f.model, f.other).to_dict()),
        Row("MODEL OTHER --smoothing wb", lambda f: m.Model.load(f.model).score(f.other, smoothing="wb").to_dict()),
        Row(
            "MODEL OTHER --model SECOND --mix 1,3",
            lambda f: m.score([f.model, f.second], f.other, weights=[1, 3]).to_dict(),
        ),
        Row("MODEL --model SECOND --tune OTHER", lambda f: m.tune_mixture([f.model, f.second], f.other).to_dict()),
        Row(
            "MODEL OTHER --model SECOND",
            lambda f: [{"model": str(one), **m.score(one, f.other).to_dict()} for one in (f.model, f.second)],
        ),
        Row("MODEL OTHER --each line", lambda f: lines_of(m.score_units(f.model, f.other))),
        Row(
            "MODEL OTHER --each line --within --open-end --skip-blank",
            lambda f: lines_of(m.score_units(f.model, f.other, within=True, open_end=True, skip_blank=True)),
        ),
        Row("MODEL OTHER --within", lambda f: m.score(f.model, f.other, within=True).to_dict()),
        Row("MODEL OTHER --open-end", lambda f: m.Model.load(f.model).score(f.other, open_end=True).to_dict()),
        Row("MODEL OTHER --each token", lambda f: lines_of(m.score_tokens(f.model, f.other))),
        Row(
            "MODEL OTHER --model SECOND --classify",
            lambda f: lines_of(m.classify([f.model, f.second], OTHER.splitlines())),
        ),
        Row(
            "MODEL JSONL --model SECOND --classify --jsonl text --label id",
            lambda f: m.confusion([f.model, f.second], f.jsonl, jsonl="text", label="id").to_dict(),
        ),
        Row("MODEL JSONL --jsonl text", lambda f: with_scores(f.jsonl, m.score_texts(f.model, [OTHER, TEXT]))),
    ],
    "tune": [
        Row("MODEL OTHER --classes 3 -o OUT", lambda f: m.tune(f.model, f.other, classes=[3]).to_dict(), NOT_SAVED),
        Row(
            "MODEL OTHER --classes 2,4 --adapt -o OUT",
            lambda f: m.tune(f.model, f.other, classes=[2, 4], adapt=True).to_dict(),
            NOT_SAVED,
        ),
    ],
    "audit": [
        Row("MODEL", lambda f: m.audit(f.model).to_dict()),
        Row(
            "MODEL --order 2 --min-tokens 2 --show 3",
            lambda f: m.audit(f.model, order=2, min_tokens=2, top=3).to_dict(),
        ),
        Row(
            "MODEL --corpus TEXT --heldout OTHER",
            lambda f: m.audit(f.model, corpus=f.text, heldout=f.other).to_dict(),
        ),
        Row("MODEL --member OTHER", lambda f: m.member(f.model, f.other).to_dict()),
    ],
    "trace": [
        Row(
            "OTHER --corpus JSONL --jsonl text --min-tokens 2",
            lambda f: m.trace(f.other, corpus=f.jsonl, jsonl="text", min_tokens=2).to_dict(),
        ),
        Row("OTHER --corpus TEXT --min-tokens 2", lambda f: m.trace(f.other, corpus=f.text, min_tokens=2).to_dict()),
        Row(
            "OTHER --corpus TEXT --baseline TEXT --min-tokens 1 --top 2 --unit line",
            lambda f: m.trace(f.other, corpus=f.text, baseline=f.text, min_tokens=1, top=2, unit="line").to_dict(),
        ),
    ],
    "page": [Row("MODEL -o OUT", lambda f: m.page(f.model).to_dict(), ("page", "page_bytes"))],
    "canary make": [
        Row(
            f"--format '{LINE}' --count 2 --repeat 1,3 -s 4 -o OUT --keys KEYS2",
            lambda f: m.make_canaries(LINE, count=2, repeat=[1, 3], seed=4).to_dict(),
            ("lines", "output", "keys"),
        ),
    ],
    "canary score": [
        Row("MODEL KEYS --smoothing wb", lambda f: m.score_canaries(f.model, f.keys, smoothing="wb").to_dict())
    ],
    "merge": [
        Row("MODEL SECOND -o OUT", lambda f: made(m.merge([f.model, f.second])), NOT_SAVED),
        Row(
            "MODEL SECOND --weight 2 --weight 0.5 -o OUT",
            lambda f: made(m.merge([f.model, m.Model.load(f.second)], [2, 0.5])),
            NOT_SAVED,
        ),
        Row(
            "MODEL SECOND --model-weights 1,3 --smoothing wb -o OUT",
            lambda f: made(m.static_mixture([f.model, f.second], [1, 3], smoothing="wb")) | {"weights": [0.25, 0.75]},
            NOT_SAVED,
        ),
    ],
    "forget": [
        Row("MIXED TEXT -o OUT", lambda f: m.forget(f.mixed, f.text).to_dict(), NOT_SAVED),
        Row(
            "MIXED JSONL --jsonl text --by id=1 -o OUT",
            lambda f: m.forget(f.mixed, f.jsonl, jsonl="text", by={"id": "1"}).to_dict(),
            NOT_SAVED,
        ),
        Row(
            "GUARDED2 OTHER --no-guard -o OUT",
            lambda f: m.forget(f.guarded2, f.other, keep_guard=False).to_dict(),
            NOT_SAVED,
        ),
    ],
    "prune": [
        Row("MODEL --prune 0,0,1 -o OUT", lambda f: made(m.prune(f.model, (0, 0, 1))), NOT_SAVED),
        Row("MODEL --max-types 5 -o OUT", lambda f: made(m.prune(f.model, max_types=5)), NOT_SAVED),
        Row("MODEL --vocab WORDS -o OUT", lambda f: made(m.prune(f.model, vocab=f.words)), (*NOT_SAVED, "vocab")),
        Row("GUARDED --no-guard -o OUT", lambda f: made(m.prune(f.guarded, keep_guard=False)), NOT_SAVED),
        Row(
            "MODEL --threshold 1e-3 --heldout OTHER --smoothing wb -o OUT",
            lambda f: m.prune_by_entropy(f.model, threshold=1e-3, heldout=f.other, smoothing="wb").to_dict(),
            NOT_SAVED,
        ),
    ],
    "export": [
        Row("MODEL --smoothing wb -o OUT", lambda f: m.export_arpa(f.model, f.out, smoothing="wb").to_dict()),
        Row("CHARS --space-as | -o OUT", lambda f: m.export_arpa(f.chars, f.out, space_as="|").to_dict()),
        Row("MODEL --format counts --order 2 -o OUT", lambda f: m.export_counts(f.model, f.out, order=2).to_dict()),
        Row("MODEL --format markovify -o OUT", lambda f: m.export_markovify(f.model, f.out).to_dict()),
    ],
    "import": [
        Row("ARPA -o OUT", lambda f: made(m.import_arpa(f.arpa)), NOT_SAVED),
        Row("COUNTS -n 3 -o OUT", lambda f: made(m.import_counts(f.counts, order=3)), NOT_SAVED),
        Row("CUT -o OUT", lambda f: made(m.import_counts(f.cut)), NOT_SAVED),
        Row("BOOKS --years 1990..1991 -o OUT", lambda f: made(m.import_model(f.books, years=(1990, 1991))), NOT_SAVED),
        Row(
            "ARPA --encoding latin-1 --tokenizer words -o OUT",
            lambda f: made(m.import_arpa(f.arpa, encoding="latin-1", tokenizer="words")),
            NOT_SAVED,
        ),
        Row("MARKOVIFY -o OUT", lambda f: made(m.import_markovify(f.markovify)), NOT_SAVED),
        Row("MARKOVIFY --unit file -o OUT", lambda f: made(m.import_model(f.markovify, unit="file")), NOT_SAVED),
    ],
}


def made(model):
    return model.summary().to_dict()


def trained(model):
    return {**made(model), "repairs": m.RepairCounts.of(model.repairs).to_dict()}


def written(found):
    return {**trained(found.model), "model_bytes": found.model_bytes}


def with_scores(path, scores):
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [line | score.to_dict() for line, score in zip(lines, scores, strict=True)]


class Files:
    """Paths by name: `files.model`."""

    def __init__(self, folder):
        self.folder = folder

    def __getattr__(self, name):
        return self.folder / name

    @property
    def groups(self):
        return self.folder / "{}.npz"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    f = Files(tmp_path_factory.mktemp("commands"))
    f.text.write_text(TEXT)
    f.other.write_text(OTHER)
    f.counted.write_text("the cat\t3\na dog\t1\n")
    f.words.write_text("the\ncat\nsat\n.\n")
    f.jsonl.write_text("".join(json.dumps({"text": text, "id": i}) + "\n" for i, text in enumerate((OTHER, TEXT))))
    keys = m.make_canaries("the code of {name} is {d}", count=1, repeat=[1], seed=2)
    keys.save(f.keys)
    model = m.train(f.text)
    model.save(f.model)
    m.train(f.other).save(f.second)
    m.train(f.text, guard=5).save(f.guarded)
    m.train([f.text, f.other]).save(f.mixed)
    m.train([f.text, f.other], guard=5).save(f.guarded2)
    m.train(f.text, tokenizer="chars").save(f.chars)
    m.export_arpa(model, f.arpa, smoothing="wb")
    plain = m.train(f.text, tokenizer="spaces", unit="line")
    m.export_counts(plain, f.counts)
    m.export_markovify(plain, f.markovify)
    f.cut.write_text("a b\t40\nb a\t41\n")
    f.books.write_text("a b\t1990\t40\t3\na b\t1991\t7\t3\na b\t1992\t8\t3\n")
    return f


@pytest.fixture
def answer(capfdbinary, files):
    """The JSON of a command: an object, or a list of the lines' objects."""

    def go(command, options):
        args = [str(getattr(files, a.lower())) if a.isupper() else a for a in shlex.split(options)]
        files.out.unlink(missing_ok=True)  # a model replaces no other result, nor the other way round
        with pytest.raises(SystemExit) as ended:
            main.main([*command.split(), *args, "--json", "--quiet"])
        out, err = capfdbinary.readouterr()
        assert not ended.value.code, err.decode()
        found = [json.loads(line) for line in out.splitlines()]
        return found[0] if len(found) == 1 else found

    return go


@pytest.mark.parametrize(
    ("command", "row"),
    [(c, r) for c, rows in ROWS.items() for r in rows],
    ids=lambda x: x if isinstance(x, str) else x.options,
)
def test_command_and_function_give_the_same(command, row, answer, files):
    def kept(found):
        return {k: v for k, v in found.items() if k not in VARIES and k not in row.without}

    told = answer(command, row.options)
    ours = json.loads(json.dumps(row.call(files)))
    told, ours = ([*map(kept, x)] if isinstance(x, list) else [kept(x)] for x in (told, ours))
    assert told == ours
    assert all(told)


def test_every_command_has_a_row():
    names = set()
    for name, command in main.commands.items():
        inner = command.commands if isinstance(command, click.Group) else ()
        names |= {f"{name} {one}" for one in inner} or {name}
    assert names - NO_FUNCTION == set(ROWS)
