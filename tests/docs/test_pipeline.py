"""The example pipeline docs/Makefile: corpus, model, samples, report."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or os.name != "posix", reason="needs make and a Unix shell"
)


def make(folder, *args):
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("MAKE")}, "LC_ALL": "C"}
    return subprocess.run(
        ["make", "-f", ROOT / "docs/Makefile", f"MARKOV={sys.executable} -m markov_cli", *args],
        cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_the_pipeline_makes_a_report_and_only_what_is_out_of_date(tmp_path, harbour, run):
    (tmp_path / "text.txt").write_text(harbour[:20_000], encoding="utf-8")
    (tmp_path / "held.txt").write_text(harbour[20_000:], encoding="utf-8")
    args = ["CORPUS=text.txt", "HELDOUT=held.txt", "OUT=out", "GENERATE=--count 3 --seed 4"]
    made = make(tmp_path, *args)
    assert made.returncode == 0, made.stderr
    texts = (tmp_path / "out/samples.txt").read_text(encoding="utf-8").splitlines()
    told = [
        json.loads(line)["text"] for line in (tmp_path / "out/samples.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(texts) == 3 and texts == told
    assert texts == run("generate", tmp_path / "out/model.npz", "-c", "3", "-s", "4").stdout.splitlines()
    report = (tmp_path / "out/report.md").read_text(encoding="utf-8")
    for part in ("# text.txt", "order 3 (2 tokens of history)", f"    {texts[0]}", "held.txt", "perplexity"):
        assert part in report
    assert run("audit", tmp_path / "out/model.npz", cwd=tmp_path).stdout.splitlines()[-1] in report

    again = make(tmp_path, *args)
    assert "Nothing to be done" in again.stdout and "markov_cli" not in again.stdout
    now = (tmp_path / "out/model.npz").stat().st_mtime_ns
    os.utime(tmp_path / "text.txt", ns=(now + 10**9, now + 10**9))
    assert "train" in make(tmp_path, *args).stdout


def test_a_failed_step_leaves_no_file(tmp_path):
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    made = make(tmp_path, "CORPUS=empty.txt", "OUT=out")
    assert made.returncode == 2
    assert "markov: " in made.stderr
    assert list((tmp_path / "out").iterdir()) == []
