"""Small whole models of every kind, to be damaged."""

import io
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import model_of, saved
from markov_cli.api.combine import merge, prune
from markov_cli.api.convert import export_arpa
from markov_cli.api.importing import import_arpa
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model
from markov_cli.model import model_file

TEXT = (
    "The cat sat on the mat. The dog, it's said, sat on the cat! A cat is 3.5 dogs?\n"
    "The mat was flat. A dog sat. The cat sat on the dog. Zoë sat on the naïve 猫 mat.\n\n"
    "The cat sat on the mat again; the dog did not. A cat! A dog! The mat...\n"
)
_OPTIONS = {
    "words": {},
    "bigrams": {"order": 2},
    "types": {"order": 1},
    "long": {"order": 5, "unit": "line"},
    "beyond": {"order": 60, "unit": "line"},  # no sequence is so long
    "chars": {"tokenizer": "chars", "order": 4},
    "bytes": {"tokenizer": "bytes", "unit": "file", "order": 3},
    "spaces": {"tokenizer": "spaces", "unit": "line", "lowercase": True},
    "regex": {"tokenizer": "regex", "pattern": r"[^\W\d]+|\d"},
    "rare": {"min_type_count": 2},
    "pruned": {"order": 4, "prune": (0, 0, 1)},
}


@dataclass(frozen=True)
class Base:
    """A whole model: its name, its file, its arrays without the header, and its header."""

    name: str
    data: bytes
    arrays: dict
    head: dict

    def with_arrays(self, arrays, **header):
        """The file that the program itself would write of other arrays: every checksum is right."""
        return written({**self.head, **header}, arrays)


def written(head, arrays):
    """A file with this header and these arrays, by the program's own writer."""
    out = io.BytesIO()
    head = {k: v for k, v in head.items() if k != "arrays"}
    model_file._write_arrays(out, head, arrays)
    return out.getvalue()


def _base(name, data, folder):
    path = Path(folder) / f"{name}.npz"
    path.write_bytes(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {n: file[n] for n in file.files}
    return Base(name, data, {n: a for n, a in arrays.items() if n != "header"}, json.loads(arrays["header"].tobytes()))


def _bytes_of(model):
    out = io.BytesIO()
    model.save(out)
    return out.getvalue()


def _many_words():
    """Some thousand rows of every order: what costs their square is noticed."""
    rng = random.Random(1)
    words = [f"w{i}" for i in range(3000)]
    return ". ".join(" ".join(words[int(3000 * rng.random() ** 3)] for _ in range(9)) for _ in range(600))


def make(folder):
    """All bases; `folder` keeps a file of each, `NAME.npz`, the text `text.txt`, and a part of it, `part.txt`."""
    folder = Path(folder)
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    (folder / "part.txt").write_text(TEXT.split("\n\n")[1], encoding="utf-8")
    found = [_base(n, saved(model_of(TEXT, **kw)), folder) for n, kw in _OPTIONS.items()]
    words = Model.load(folder / "words.npz")
    many = as_model(model_of("a b " * 3000 + ". ", order=3))  # counts that stand aside
    found.append(_base("counted", _bytes_of(many), folder))
    found.append(_base("large", saved(model_of(_many_words(), order=4)), folder))
    found.append(_base("common", _bytes_of(prune(words, max_types=6)), folder))
    found.append(_base("weighted", _bytes_of(merge([words, words], [0.7, 1.6])), folder))
    with open(folder / "words.arpa", "wb") as f:
        export_arpa(words, f, smoothing="kn")
    found.append(_base("listed", _bytes_of(import_arpa(folder / "words.arpa")), folder))
    return found
