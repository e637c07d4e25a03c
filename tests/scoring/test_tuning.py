"""`tune`: weights on held-out text, the file that holds them, and the commands that drop them."""

import json

import numpy as np
import pytest

import markov_cli as m
from markov_cli.errors import MarkovError, ModelFileError, OptionError, TextError
from markov_cli.model import model_file

LINES = ["the cat ran", "the dog ran", "a cat sat", "a dog sat", "the cat sat on the mat", "a dog ran"]
HELD = "the dog sat\na cat ran\nthe dog sat on a mat\n"


@pytest.fixture(scope="module")
def model():
    return m.train(texts=LINES * 3, order=3, unit="line")


@pytest.fixture(scope="module")
def found(model):
    return m.tune(model, texts=[HELD], classes=[2, 4], adapt=True)


def test_the_held_out_text_gets_more_probable(model, found):
    assert found.perplexity < found.perplexity_kn == pytest.approx(m.score(model, texts=[HELD]).perplexity)
    assert m.score(found.model, texts=[HELD], adapt=True).perplexity == pytest.approx(found.perplexity)
    assert found.heldout_tokens == 15
    assert [part.part for part in found.parts] == [
        "n-grams of words", "n-grams of 2 classes", "n-grams of 4 classes", "recent words", "recent n-grams",
    ]  # fmt: skip


def test_no_other_weights_are_better(found):
    """The weights are a maximum: moving some weight from one part to another does not raise the likelihood."""
    blend = found.model.language_model.blend()
    kept = blend.weights.copy()
    best = m.score(found.model, texts=[HELD], smoothing="blend").bits
    for i in range(3):
        for j in range(3):
            blend.weights = kept.copy()
            step = min(0.02, blend.weights[i])
            blend.weights[i] -= step
            blend.weights[j] += step
            assert m.score(found.model, texts=[HELD], smoothing="blend").bits >= best - 1e-3
    blend.weights = kept


def test_equal_input_gives_equal_bytes_and_the_file_gives_equal_scores(model, tmp_path):
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    for path in (a, b):
        m.tune(model, texts=[HELD], classes=[3], adapt=True).model.save(path)
    assert a.read_bytes() == b.read_bytes()
    with m.Model.load(a) as loaded:
        assert loaded.header.blend is not None and len(loaded.table.classes) == 1
        made = m.tune(model, texts=[HELD], classes=[3], adapt=True).model
        assert m.score(loaded, texts=[HELD], adapt=True) == m.score(made, texts=[HELD], adapt=True)
    assert m.verify(a).damage == ()


def test_other_smoothings_stay_as_they_are(model, found):
    for smoothing in ("none", "kn", "wb"):
        text = [LINES[0]]
        assert m.score(found.model, texts=text, smoothing=smoothing) == m.score(model, texts=text, smoothing=smoothing)


def test_merge_prune_and_update_drop_the_parameters(found):
    for made in (
        m.merge([found.model]),
        m.merge([found.model, found.model]),
        m.prune(found.model, max_types=4),
        m.prune(found.model, (0, 0, 1)),
        m.update(found.model, texts=["a new line"]),
        m.prune_by_entropy(found.model, threshold=1e-3).model,
    ):
        assert made.header.blend is None and made.table.classes == []


def test_the_guard_can_go_and_the_parameters_stay(found):
    made = m.prune(found.model, keep_guard=False)
    assert made.header.blend == found.model.header.blend and len(made.table.classes) == 2


def test_impossible_numbers_of_classes(model):
    for classes in ([], [0], [1 << 16], [-1]):
        with pytest.raises(OptionError, match="--classes"):
            m.tune(model, texts=[HELD], classes=classes)


def test_a_text_without_tokens_and_an_unknown_one(model):
    with pytest.raises(TextError, match="no token"):
        m.tune(model, texts=["\n"])
    with pytest.raises(TextError, match="knows none"):
        m.tune(model, texts=["zebra"])
    with pytest.raises(OptionError, match="no held-out text"):
        m.tune(model)


def test_a_pruned_model_is_refused(model):
    with pytest.raises(MarkovError, match="pruned"):
        m.tune(m.prune(model, (0, 0, 1)), texts=[HELD])


@pytest.mark.parametrize("order", [1, 2, 5])
def test_every_order(order):
    made = m.tune(m.train(texts=LINES, order=order, unit="line"), texts=[HELD], classes=[2], adapt=True).model
    assert m.score(made, texts=[HELD], adapt=True).zero_probability == 0


# ------------------------------------------------------------ damage


def saved(found, tmp_path, change):
    """A file whose header or classes were changed on purpose."""
    language_model = found.model.language_model
    table, header = language_model.table, language_model.header
    arrays = model_file._arrays(language_model.vocabulary.types(), table)
    plain = header.as_dict()
    change(plain, arrays)
    path = tmp_path / "damaged.npz"
    with open(path, "wb") as f:
        model_file._write_arrays(f, plain, arrays)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda h, a: h["blend"].update(mixture="cubic"),
        lambda h, a: h["blend"].update(weights=[0.5, 0.5]),
        lambda h, a: h["blend"].update(weights=[0.5, 0.6, 0.1]),
        lambda h, a: h["blend"].update(weights=[1.5, -0.6, 0.1]),
        lambda h, a: h["blend"].update(weights="x"),
        lambda h, a: h["blend"].update(half_life=0),
        lambda h, a: h["blend"].update(half_life=-3),
        lambda h, a: h["blend"].update(discount=2.0),
        lambda h, a: h["blend"].update(adapt=[[1.0, 0.0, 0.0]]),
        lambda h, a: h["blend"].update(other=1),
        lambda h, a: h.update(blend=None),
        lambda h, a: h.update(blend=[]),
        lambda h, a: h.update(prune=[0, 0, 1]),
        lambda h, a: a.update(class_1=a["class_1"][:-1]),
        lambda h, a: a.update(class_1=a["class_1"].astype("<f8")),
        lambda h, a: a.pop("class_2"),
        lambda h, a: h.pop("blend"),
    ],
)
def test_damage_that_opening_sees(found, tmp_path, change):
    with pytest.raises(ModelFileError):
        m.Model.load(saved(found, tmp_path, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.fill(0),
        lambda c: c.__setitem__(3, 60_000),
        lambda c: c.__setitem__(0, 3),
        lambda c: c.__setitem__(5, 2),
    ],
)
def test_classes_that_are_none(found, tmp_path, change):
    def damage(head, arrays):
        arrays["class_1"] = arrays["class_1"].copy()
        change(arrays["class_1"])

    path = saved(found, tmp_path, damage)
    with m.Model.load(path) as loaded, pytest.raises(ModelFileError):
        m.score(loaded, texts=[HELD], smoothing="blend")
    assert m.verify(path).damage != ()


# ------------------------------------------------------------ the command


def test_the_command_prints_what_each_part_brings(run, model, tmp_path):
    model.save(tmp_path / "m.npz")
    (tmp_path / "held.txt").write_text(HELD)
    done = run("tune", "m.npz", "held.txt", "--classes", "2", "--adapt", "-o", "t.npz", cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert lines[0].split() == ["part", "weight", "perplexity", "alone", "perplexity", "without", "it"]
    assert lines[1].startswith("n-grams of words") and lines[4].startswith("recent n-grams")
    assert lines[5].startswith("held out 15 tokens: perplexity ")
    assert done.code == 0 and done.stdout == ""
    again = run("tune", "m.npz", "held.txt", "--classes", "2", "--adapt", "-o", "t.npz", "--json", "-q", cwd=tmp_path)
    told = json.loads(again.stdout)
    assert told["adapt"] is True and len(told["parts"]) == 4 and again.stderr == ""
    assert np.isclose(sum(part["weight"] for part in told["parts"][:2]), 1)


def test_mistakes_of_the_command(run, model, tmp_path):
    model.save(tmp_path / "m.npz")
    (tmp_path / "held.txt").write_text(HELD)
    assert run("tune", "m.npz", "held.txt", cwd=tmp_path).code == 2
    assert run("tune", "m.npz", cwd=tmp_path).code == 2
    wrong = run("tune", "m.npz", "held.txt", "--classes", "2.5", "-o", "t.npz", cwd=tmp_path)
    assert wrong.code == 2 and "--classes" in wrong.stderr and not (tmp_path / "t.npz").exists()
    assert run("tune", "m.npz", "missing.txt", "-o", "t.npz", cwd=tmp_path).code == 1


def test_audit_tells_of_the_classes(found, model):
    notes = [note for note in m.audit(found.model).notes if "word classes" in note]
    assert notes == [
        f"holds 2 sets of word classes, {4 * model.table.n_ids} bytes: they follow from the counts; the weights of the "
        "blend are from held-out text"
    ]
    assert not any("word classes" in note for note in m.audit(model).notes)


def test_the_commands_say_that_they_drop_the_parameters(run, found, tmp_path):
    found.model.save(tmp_path / "t.npz")
    (tmp_path / "new.txt").write_text("a new line\n")
    for command in (
        ("merge", "t.npz", "t.npz"),
        ("prune", "t.npz", "--prune", "0,0,1"),
        ("prune", "t.npz", "--threshold", "0.001"),
        ("train", "new.txt", "--update", "t.npz"),
    ):
        said = run(*command, "-o", "out.npz", cwd=tmp_path)
        assert said.code == 0 and said.stderr.count("the parameters of --smoothing blend are left out") == 1
        assert run(*command, "-o", "out.npz", "-q", cwd=tmp_path).stderr == ""
