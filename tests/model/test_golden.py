"""Golden files: a model of every version must always load, and seed 42 must always give the same texts.

golden/tiny.npz was made from golden/tiny.txt by `markov train tiny.txt -o tiny.npz`, and
golden/tiny-seed-42.txt by `markov generate tiny.npz -c 20 -s 42`. golden/sentences.npz and its texts were
made in the same way after the rules for the ends of sentences had changed, the model again when version 2 of the
format came. If a change makes a test here fail, either the change is wrong or the file format needs a new version.
"""

import io
import json
from pathlib import Path

import numpy as np

import markov_cli
from markov_cli.api.model import Model
from markov_cli.inspecting.verify import damage

GOLDEN = Path(__file__).parents[1] / "golden"
TEXTS = (GOLDEN / "tiny-seed-42.txt").read_text(encoding="utf-8").splitlines()
TEXTS_NOW = (GOLDEN / "sentences-seed-42.txt").read_text(encoding="utf-8").splitlines()


def members(data):
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays.pop("header").tobytes())
    return header, arrays


def test_the_model_of_version_1_loads():
    with Model.load(GOLDEN / "tiny.npz") as model:
        assert model.file.version == 1 and damage(model.file) == []
        assert (model.order, model.header.tokens, model.header.sequences) == (3, 118, 12)
        assert [f.token for f in model.followers("the", top=1).followers] == ["wind"]


def test_the_model_of_version_1_writes_the_golden_texts():
    with Model.load(GOLDEN / "tiny.npz") as model:
        assert [t.text for t in model.generate(20, 42)] == TEXTS


def test_the_program_writes_the_golden_texts(run):
    done = run("generate", GOLDEN / "tiny.npz", "-c", 20, "-s", 42)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == TEXTS


def test_training_gives_the_golden_model():
    """Byte for byte, except for the Unicode version, which is Python's."""
    data = io.BytesIO()
    markov_cli.train([GOLDEN / "tiny.txt"]).save(data)
    header, arrays = members(data.getvalue())
    golden_header, golden_arrays = members((GOLDEN / "sentences.npz").read_bytes())
    assert [*arrays] == [*golden_arrays]
    for name, array in arrays.items():
        assert array.dtype == golden_arrays[name].dtype
        assert array.tolist() == golden_arrays[name].tolist()
    same_tables = header.pop("unicode") == golden_header.pop("unicode")
    assert header == golden_header
    if same_tables:
        assert data.getvalue() == (GOLDEN / "sentences.npz").read_bytes()


def test_a_model_trained_now_writes_the_golden_texts():
    assert [t.text for t in markov_cli.train([GOLDEN / "tiny.txt"]).generate(20, 42)] == TEXTS_NOW
