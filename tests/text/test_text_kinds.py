"""Texts that are no prose: what they look like is said, with what helps; prose gives no note."""

import pytest

import markov_cli
from markov_cli.text.old_encodings import cp1252_note
from markov_cli.text.text_kinds import text_notes

KINDS = {
    "subtitles": "{0}\n00:00:0{0},000 --> 00:00:0{0},900\nLine number {0}.\n\n",
    "HTML": "<p>Text <b>{0}</b></p>\n",
    "JSON": '{{"user": "a{0}", "text": "some words {0}"}}\n',
    "CSV": 'n{0},"c, {0}",hello world {0}\n',
    "columns with tabs": "a{0}\tb\tc\n",
    "text<TAB>count": "smith{0}\t25{0}\n",
    "a log": "2024-01-02 12:00:0{0} INFO started {0}\n",
    "a mailbox": "From me@x.org Mon Jan  1 12:00:0{0} 2024\nSubject: hi\nDate: now\n\nhello\n\n",
}
HELP = ["--strip srt", "--strip html", "--jsonl FIELD", "--csv COLUMN", "--csv COLUMN", "--weights", "cut -c 21-",
        "mailbox.mbox"]  # fmt: skip


@pytest.mark.parametrize("name, help_", [*zip(KINDS, HELP, strict=True)])
def test_a_kind_is_named_with_what_helps(name, help_):
    (note,) = text_notes(["".join(KINDS[name].format(i) for i in range(1, 9))])
    assert name in note and help_ in note


@pytest.mark.parametrize(
    "text",
    [
        "", "One line only", "A line, with commas, two of them.\nAnother, with two, of them.\n" * 4,
        "Smith, Ann\nCole, Bob\nPell, Eve\nMarl, Tom\n", "I <3 you\nyou <3 me\n" * 5, "At 12:30 we left.\n" * 9,
        "1\n2\n3\n4\n5\n", "<:wave:1> hi\n@a: hello <@12>\n" * 4, "[1] Note.\n[2] Another.\n" * 4,
    ],
)  # fmt: skip
def test_other_texts_give_no_note(text):
    assert text_notes([text]) == []


def test_most_of_several_texts_decide():
    table, prose = "a\tb\tc\n" * 9, "A line of prose.\n" * 9
    assert text_notes([table, table, prose]) and not text_notes([table, prose, prose])


def test_our_own_texts_give_no_note(corpora):
    for path in corpora.rglob("*.txt"):
        assert text_notes([path.read_bytes()[: 1 << 14].decode("latin-1")]) == []


@pytest.mark.parametrize(
    "text",
    ["Das Café öffnet, sagt Zoë.", "“Who’s there?” – “It is I…”", "l'été à Paris, où l’on mange bien", "£5 or 5 €"],
)
def test_windows_1252_is_suggested_where_it_makes_sense(text):
    assert "--encoding cp1252" in cp1252_note(text.encode("cp1252"))


@pytest.mark.parametrize(
    "data",
    [
        b"plain", "Café".encode(), "привет мир".encode("cp1251"), "żółw, jaźń i łódź, książę".encode("cp1250"),
        "日本語の文".encode("shift_jis"), b"a\x81b \x8d", bytes(range(128, 256)),
    ],
)  # fmt: skip
def test_windows_1252_is_not_suggested_elsewhere(data):
    assert cp1252_note(data) is None


def test_only_the_bytes_that_are_no_utf8_count():
    mixed = "naïve and “quoted” ".encode() + "café, Zoë".encode("cp1252")
    assert "2 of 2 bytes" in cp1252_note(mixed) and "'café,'" in cp1252_note(mixed)


@pytest.mark.parametrize("tokenizer", ["words", "spaces"])
def test_train_says_it(run, tmp_path, tokenizer):
    plain = "The old clock stood in the hall, and nobody ever looked at it for long. " * 3
    (tmp_path / "a.txt").write_bytes((plain + "The café was closed.\n").encode("cp1252") * 4)
    ran = run("train", tmp_path / "a.txt", "-o", tmp_path / "m.npz", "--tokenizer", tokenizer)
    assert "--encoding cp1252 may be right: " in ran.stderr
    ran = run("train", tmp_path / "a.txt", "-o", tmp_path / "m.npz", "--encoding", "cp1252")
    assert "note" not in ran.stderr


def test_train_says_it_of_standard_input_and_of_many_files(run, tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("a\tb\tc\n" * 9)
    ran = run("train", tmp_path, "-o", tmp_path.parent / "m.npz")
    assert "look like columns with tabs" in ran.stderr


def test_a_text_in_windows_1252_that_is_refused_has_the_hint(run, tmp_path):
    (tmp_path / "a.txt").write_bytes("Zoë öffnet früh é".encode("cp1252") * 9)
    ran = run("train", tmp_path / "a.txt", "-o", tmp_path / "m.npz")
    assert ran.code == 1 and "--encoding cp1252 makes sense" in ran.stderr


def test_python_reads_such_texts_without_a_word(capsys):
    markov_cli.train(texts=["<s> a </s>\n" * 9])
    assert capsys.readouterr() == ("", "")
