"""The parts of bench_core.py that run in processes of their own; each prints one JSON object.

python benchmarks/workers.py WORK ARGUMENT...
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path


def markovify_work(text: str, model: str, count: str) -> dict:
    """Train markovify on a text, write its JSON, compile it, generate texts.

    `well_formed=False`, since markovify by default leaves out every line with a bracket or a quote.
    """
    import random

    import markovify

    begin = time.perf_counter()
    texts = markovify.NewlineText(
        Path(text).read_text(encoding="utf-8", errors="replace").strip(),
        state_size=2,
        retain_original=False,
        well_formed=False,
    )
    train_s = time.perf_counter() - begin
    peak = _peak_bytes()
    words = sum(sum(f.values()) - f.get(markovify.chain.END, 0) for f in texts.chain.model.values())
    begin = time.perf_counter()
    Path(model).write_text(texts.to_json(), encoding="utf-8")
    write_s = time.perf_counter() - begin
    texts.compile(inplace=True)
    random.seed(1)
    begin = time.perf_counter()
    made = [texts.make_sentence(test_output=False) for _ in range(int(count))]
    generate_s = time.perf_counter() - begin
    return {
        "train_s": train_s,
        "train_words": words,
        "train_peak_bytes": peak,
        "write_s": write_s,
        "json_bytes": Path(model).stat().st_size,
        "generate_s": generate_s,
        "generate_words": sum(len(t.split(" ")) for t in made),
        "texts": len(made),
    }


def markovify_load(model: str) -> dict:
    """Load markovify's JSON and make one sentence."""
    import markovify

    texts = markovify.NewlineText.from_json(Path(model).read_text(encoding="utf-8"))
    return {"text": texts.make_sentence(test_output=False)}


def draw(model: str, count: str, runs: str) -> dict:
    """Draw our texts through the Python API; the median time of some runs, without loading."""
    import markov_cli

    seconds = []
    words = 0
    with markov_cli.Model.load(model) as loaded:
        for _ in range(int(runs)):
            begin = time.perf_counter()
            words = sum(t.tokens for t in loaded.generate(int(count), seed=1))
            seconds.append(time.perf_counter() - begin)
    return {"generate_s": statistics.median(seconds), "generate_words": words}


def count_words(text: str) -> dict:
    """Count words in plain Python, on machines without wc."""
    with open(text, "rb") as file:
        return {"words": sum(len(line.split()) for line in file)}


def count_trigrams(text: str, pattern: str) -> dict:
    """Find tokens with `re.findall`, and count trigrams with a Counter."""
    import re
    from collections import Counter

    tokens = re.findall(pattern, Path(text).read_text(encoding="utf-8", errors="replace"))
    return {"tokens": len(tokens), "trigrams": len(Counter(zip(tokens, tokens[1:], tokens[2:], strict=False)))}


def _peak_bytes() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


WORK = {f.__name__.replace("_", "-"): f for f in (markovify_work, markovify_load, draw, count_words, count_trigrams)}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
