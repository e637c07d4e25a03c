"""Markers that an imported model lacks."""

import markov_cli

NO_MARKERS = (
    "\\data\\\nngram 1=2\nngram 2=1\n\n\\1-grams:\n-0.3\ta\t-0.2\n-0.3\tb\t0\n\n\\2-grams:\n-0.1\ta b\n\n\\end\\\n"
)


def test_markers_that_a_file_lacks_are_said_where_their_number_shows(run, tmp_path):
    (tmp_path / "m.arpa").write_text(NO_MARKERS, encoding="utf-8")
    (tmp_path / "known").write_text("a b\n", encoding="utf-8")
    (tmp_path / "strange").write_text("a zebra\n", encoding="utf-8")
    ran = run("import", "m.arpa", "-o", "m.npz", cwd=tmp_path)
    assert ran.stderr.splitlines()[0] == "3 markers without a unigram added, with log10 -99 (<unk>: -100)"
    end = (
        "</s> has log10 probability -99: the ARPA file lists none or 0, so every end of a sequence costs about 329 bits"
    )
    unknown = "<unk> has log10 probability -100: the ARPA file lists none or 0, so every OOV token costs about 332 bits"
    for name, said in (("known", [end]), ("strange", [end, unknown])):
        ran = run("score", "m.npz", name, cwd=tmp_path)
        assert ran.stderr.splitlines() == said
    assert run("score", "m.npz", "known", "--each", "token", cwd=tmp_path).stderr.splitlines() == [end]
    assert run("score", "m.npz", "known", "-q", cwd=tmp_path).stderr == ""
    assert run("inspect", "m.npz", cwd=tmp_path).stdout.splitlines()[3:5] == [end, unknown]
    assert run("inspect", "m.npz", "a", cwd=tmp_path).stderr.splitlines() == [end]
    assert end in run("generate", "m.npz", "-s", "1", "--max-tokens", "3", cwd=tmp_path).stderr
    whole = tmp_path / "whole.arpa"
    markov_cli.export_arpa(markov_cli.train(texts=["a b"], order=2), whole)
    run("import", whole, "-o", "w.npz", cwd=tmp_path)
    assert run("score", "w.npz", "strange", cwd=tmp_path).stderr == ""
