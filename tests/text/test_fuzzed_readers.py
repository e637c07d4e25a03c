"""A few of the cases of `make fuzz-readers`."""

import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, and reads /proc")


def test_damaged_texts_are_answered_or_refused(tmp_path):
    import subprocess
    from pathlib import Path

    script = Path(__file__).parents[1] / "fuzz_readers.py"
    done = subprocess.run(
        [sys.executable, str(script), "--cases", "18", "--seed", "7", "--jobs", "1"],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "\n0 findings" in done.stdout
