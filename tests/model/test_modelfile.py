"""Saving and opening models: every option survives, and one test for each kind of damage."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

from engine import PATTERN, model_of, saved
from helpers import arrays_of, header_of, loaded, packed
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import MarkovError, ModelFileError
from markov_cli.model import model_file

TINY = "a b a c. a b, a b!"
EVERY_OPTION = [
    {},
    {"order": 1},
    {"order": 2},
    {"order": 6},
    {"tokenizer": "spaces"},
    {"tokenizer": "chars"},
    {"tokenizer": "bytes", "unit": "file"},
    {"tokenizer": "regex", "pattern": r"[^\W\d]+|\d"},
    {"unit": "line"},
    {"unit": "paragraph"},
    {"unit": "file"},
    {"lowercase": True},
    {"min_type_count": 2},
    {"prune": (0, 0, 1)},
    {"order": 4, "prune": (0, 1), "min_type_count": 2, "lowercase": True, "unit": "line"},
]


@pytest.fixture(scope="module")
def tiny():
    return saved(model_of(TINY))


def refused(data, match=None):
    with pytest.raises(ModelFileError, match=match) as error:
        loaded(data)
    assert "\n" not in error.value.message
    assert error.value.hint  # every error says what to do


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize("options", EVERY_OPTION, ids=str)
def test_a_loaded_model_is_the_model_that_was_saved(story, options):
    model = as_model(model_of(story[:2500], **options))
    data = io.BytesIO()
    model.save(data)
    opened = loaded(data.getvalue())
    assert opened.header == model.header
    again = io.BytesIO()
    opened.save(again)
    assert again.getvalue() == data.getvalue()
    for shape in ({}, {"temperature": 0.7, "top_k": 5, "top_p": 0.9}):
        assert [*opened.generate(20, 3, max_tokens=60, **shape)] == [*model.generate(20, 3, max_tokens=60, **shape)]
    for history in ("", "the", "the clock was"):
        assert opened.followers(history, top=20) == model.followers(history, top=20)


def test_numpy_reads_a_model_file(story):
    trained = model_of(story, 3)
    found = arrays_of(saved(trained))
    for k, order in enumerate(trained.table.orders, 1):
        assert (found[f"count_{k}"] == order.count.small).all()
        if k > 1:
            assert (found[f"token_{k}"] == order.token).all()
        if k < 3:
            assert (found[f"first_{k}"] == order.first).all()
    words = found["vocab_bytes"].tobytes()
    offsets = found["vocab_offsets"].tolist()
    assert words[offsets[3] : offsets[4]] == b"."  # the most frequent type; the markers before it have no bytes
    assert offsets[:4] == [0, 0, 0, 0]


def test_the_header_holds_every_option_that_changes_an_answer(tiny):
    head = header_of(tiny)
    arrays = head.pop("arrays")
    # 9 words and 3 marks in two sentences; types a b c . , !
    assert head == {
        "format": "markov-ngram-table", "version": 2, "order": 3, "tokenizer": "words", "unit": "sentence",
        "lowercase": False, "pattern": None, "tokens": 11, "types": 6, "sequences": 2, "corpus_bytes": len(TINY),
        "min_type_count": 1, "prune": [], "unicode": head["unicode"], "counts_of_counts": [],
            "holds": "counts",
    }  # fmt: skip
    assert arrays == {n: [a.dtype.str, list(a.shape)] for n, a in arrays_of(tiny).items() if n != "header"}


def test_the_data_of_every_array_begin_at_a_multiple_of_64(story):
    data = saved(model_of(story, 4, min_type_count=2))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            start = info.header_offset
            n_name, n_extra = (
                int.from_bytes(data[start + 26 : start + 28], "little"),
                int.from_bytes(data[start + 28 : start + 30], "little"),
            )
            npy = start + 30 + n_name + n_extra
            assert data[npy : npy + 6] == b"\x93NUMPY"
            assert (npy + 10 + int.from_bytes(data[npy + 8 : npy + 10], "little")) % 64 == 0


def test_a_file_holds_no_time_and_no_path(tmp_path, tiny):
    model = as_model(model_of(TINY))
    for name in ("one.npz", "another.model"):
        assert model.save(tmp_path / name) == len(tiny)
        assert (tmp_path / name).read_bytes() == tiny
    assert {p.name for p in tmp_path.iterdir()} == {"one.npz", "another.model"}  # no `.npz` is added
    with zipfile.ZipFile(io.BytesIO(tiny)) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_model_file_has_the_usual_permissions(tmp_path):
    other = tmp_path / "other"
    other.write_text("", encoding="utf-8")
    as_model(model_of(TINY)).save(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").stat().st_mode == other.stat().st_mode


def test_an_open_model_can_be_saved_over_itself(tmp_path):
    path = tmp_path / "model.npz"
    as_model(model_of(TINY)).save(path)
    with Model.load(path) as model:
        model.save(path)
        assert [*model.generate(3, 1)] == [*Model.load(path).generate(3, 1)]


def test_saving_through_a_link_keeps_the_link(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "latest.npz").symlink_to(tmp_path / "models" / "one.npz")
    as_model(model_of(TINY)).save(tmp_path / "latest.npz")
    assert (tmp_path / "latest.npz").is_symlink()
    assert (tmp_path / "models" / "one.npz").is_file()


class Full(io.BytesIO):
    """A file on a disk with room for 1,500 bytes."""

    def write(self, data):
        if self.tell() + len(data) > 1500:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("fail", ["write", "fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, tiny, fail):
    path = tmp_path / "model.npz"
    path.write_bytes(tiny)
    if fail == "write":
        whole = model_file.write

        def write(f, *model):
            f.write(b"the beginning of a file")
            whole(Full(), *model)

        monkeypatch.setattr(model_file, "write", write)
    else:
        monkeypatch.setattr(os, fail, lambda *a: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        as_model(model_of("quite another text")).save(path)
    monkeypatch.undo()
    assert path.read_bytes() == tiny
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


# ------------------------------------------------------------------ damage, one kind each


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="no such file"):
        Model.load(tmp_path / "none.npz")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ModelFileError):
        Model.load(tmp_path)


def test_an_empty_file_is_refused():
    refused(b"", "empty")


@pytest.mark.parametrize("data", [b"Some text.\n" * 50, b"PK", bytes(1000)])
def test_other_files_are_refused(data):
    refused(data, "not a model")


def test_the_beginning_of_a_model_is_refused():
    refused(b"PK\x03\x04" + bytes(100), "cut short")


def test_other_zip_files_are_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    refused(out.getvalue(), "not a model")


def test_npz_files_of_other_programs_are_refused():
    out = io.BytesIO()
    np.savez(out, x=np.arange(10), y=np.ones((3, 3)))
    refused(out.getvalue(), "not a model")
    out = io.BytesIO()
    np.savez(out, header=np.frombuffer(b'{"format": "other"}', np.uint8))
    refused(out.getvalue())


def test_a_model_cut_short_is_refused(tiny):
    for n in [*range(0, len(tiny) - 64, 97), *range(len(tiny) - 64, len(tiny))]:
        refused(tiny[:n])


def test_bytes_before_or_after_a_model_change_no_text(tiny):
    # zip allows both, so the model is either refused or read unchanged
    for data in (b"#!" + tiny, tiny + b"\0", tiny + tiny):
        try:
            model = loaded(data)
        except ModelFileError:
            continue
        assert [*model.generate(2, 1)] == [*loaded(tiny).generate(2, 1)]


def test_compressed_arrays_are_refused(tiny):
    out = io.BytesIO()
    np.savez_compressed(out, **arrays_of(tiny))
    refused(out.getvalue(), "compressed")


def test_arrays_larger_than_the_file_are_refused(tiny):
    # a compressed bomb or a false size must not take more memory than the file has bytes
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", bytes(10_000_000))
    refused(out.getvalue())


def test_a_pickled_array_is_never_unpickled(tiny, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    out = io.BytesIO()
    np.savez(out, **{**arrays_of(tiny), "count_1": np.array([Trap()], object)})
    refused(out.getvalue(), "count_1")
    assert not (tmp_path / "sprung").exists()


def names_of(tiny):
    return [n for n in arrays_of(tiny) if n != "header"]


@pytest.mark.parametrize("name", names_of(saved(model_of(TINY))))
def test_a_missing_array_is_refused(tiny, name):
    arrays = arrays_of(tiny)
    del arrays[name]
    if name == "vocab_flags":  # optional: absent when no token touches another
        assert [*loaded(packed(arrays)).generate(2, 1)]
        return
    refused(packed(arrays))
    whole = io.BytesIO()
    np.savez(whole, **arrays)  # with a header that still names it
    refused(whole.getvalue())


@pytest.mark.parametrize("name", ["header", *names_of(saved(model_of(TINY)))])
@pytest.mark.parametrize("dtype", ["<f8", ">u2", "<i4", "<U3", "|b1", "<i8"])
def test_a_wrong_dtype_is_refused(tiny, name, dtype):
    arrays = arrays_of(tiny)
    if name == "header":
        out = io.BytesIO()
        np.savez(out, **{**arrays, name: arrays[name].astype(dtype)})
        refused(out.getvalue())
    else:
        refused(packed({**arrays, name: arrays[name].astype(dtype)}))


@pytest.mark.parametrize("name", names_of(saved(model_of(TINY))))
@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_length_is_refused(tiny, name, change):
    arrays = arrays_of(tiny)
    old = arrays[name]
    if change < 0 and not len(old):
        return
    arrays[name] = old[:-1] if change < 0 else np.append(old, old[-1:] if len(old) else np.zeros(1, old.dtype))
    refused(packed(arrays))


def test_a_wrong_shape_is_refused(tiny):
    arrays = arrays_of(tiny)
    refused(packed({**arrays, "count_1": arrays["count_1"].reshape(-1, 1)}))
    refused(packed({**arrays, "count_1": np.array(3, np.uint8)}))


def test_an_unknown_array_is_refused(tiny):
    refused(packed({**arrays_of(tiny), "count_9": np.zeros(3, np.uint8)}), "count_9")


@pytest.mark.parametrize("member", ["vocab_offsets", "first_1", "token_2"])
def test_an_array_unlike_its_header_entry_is_refused(tiny, member):
    arrays = arrays_of(tiny)
    whole = io.BytesIO()
    np.savez(whole, **{**arrays, member: arrays[member].astype("<u8")})
    refused(whole.getvalue(), member)


def test_a_later_version_is_refused(tiny):
    refused(packed(arrays_of(tiny), version=3), "model format 3; this markov reads 1 and 2")


@pytest.mark.parametrize(
    "field, value",
    [
        ("format", "kenlm"), ("version", None), ("version", "2"), ("order", 0), ("order", 2), ("order", 4),
        ("order", -3), ("order", 10**30), ("order", 3.0), ("order", True), ("order", None), ("order", "3"),
        ("order", 10**9), ("tokenizer", "letters"), ("tokenizer", None), ("unit", ["line"]), ("lowercase", 1),
        ("pattern", 5), ("tokens", -1), ("types", 7), ("types", 2**70), ("sequences", "2"), ("min_type_count", 0),
        ("prune", [-1]), ("prune", 5), ("prune", [0.5]), ("unicode", 14), ("counts_of_counts", [[1, 2]]),
        ("counts_of_counts", "abc"), ("arrays", []), ("arrays", {"count_1": "|u1"}),
        ("arrays", None), ("corpus_bytes", float("nan")),
    ],
)  # fmt: skip
def test_impossible_header_fields_are_refused(tiny, field, value):
    refused(packed(arrays_of(tiny), **{field: value}))


@pytest.mark.parametrize("tokenizer, pattern", [("regex", "("), ("regex", None)])
def test_a_model_with_an_invalid_pattern_is_an_error(tokenizer, pattern):
    # it may open, but then reading tokens must give one of our errors
    data = packed(arrays_of(saved(model_of(TINY, tokenizer="regex", pattern=PATTERN))), pattern=pattern)
    with pytest.raises(MarkovError):
        loaded(data).followers("a")


@pytest.mark.parametrize("name", ["order", "tokenizer", "pattern", "tokens", "prune", "unicode", "arrays", "version"])
def test_a_header_without_a_field_is_refused(tiny, name):
    arrays = arrays_of(tiny)
    head = header_of(tiny)
    del head[name]
    whole = io.BytesIO()
    np.savez(whole, **{**arrays, "header": np.frombuffer(json.dumps(head).encode(), np.uint8)})
    refused(whole.getvalue())


@pytest.mark.parametrize(
    "text", [b"", b"not JSON", b"[]", b"{", b'"a"', b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 5000]
)
def test_a_header_that_is_no_json_object_is_refused(tiny, text):
    whole = io.BytesIO()
    np.savez(whole, **{**arrays_of(tiny), "header": np.frombuffer(text, np.uint8)})
    refused(whole.getvalue())


def test_a_flipped_byte_of_the_header_is_refused(tiny):
    begin = tiny.index(b'{"format"')
    end = tiny.index(b"PK\x03\x04", begin)
    for i in range(begin, end, 3):
        bad = bytearray(tiny)
        bad[i] ^= 0xFF
        refused(bytes(bad))  # a single byte above 127 is invalid UTF-8
