"""A script with each function, as a user would write it. `make types` checks it with mypy --strict; nothing runs it."""

from pathlib import Path
from typing import TYPE_CHECKING

import markov_cli as m

if TYPE_CHECKING:
    text = Path("a.txt")
    model: m.Model = m.train(text, order=2, lowercase=True)
    model, n_bytes = m.train_file([text], "a.npz", jobs=2)
    table: m.ConfusionTable = m.confusion("models", "chat.csv", csv="text", label="who")
    groups: m.TrainedGroups = m.train_groups("chat.csv", "models/{}.npz", csv="text", group_by="who", min_group=2)
    more: m.Model = m.update(model, texts=["new text"])
    larger: m.Model = m.update_file(model, text, "b.npz", memory=10**9).model
    shares: list[float | None] = [o.retained for o in m.audit("a.npz", corpus=text).orders]
    again: str = m.rebuild(model, seed=1).text
    verdicts: list[str] = [one.verdict for one in m.member(text, texts="a b").member]
    keys: m.Canaries = m.make_canaries("code {d}", repeat=1)
    exposed: float = m.score_canaries(model, keys).groups[0].median_exposure_bits
    merged: m.Model = m.merge([model, "a.npz"], [1, 2])
    left: m.Model = m.forget(merged, text, jsonl="text", by={"who": "Ann"}).model
    m.static_mixture([model, model], [1, 3], smoothing="wb").save("mixed.npz")
    small: m.Model = m.prune(merged, (0, 1))
    tight: m.Model = m.prune_by_entropy(small, n_bytes=10**6, heldout=text).model
    notes: tuple[str, ...] = m.export_arpa(model, Path("a.arpa")).notes
    m.export_counts(model, "a.tsv", order=2)
    with open("a.json", "wb") as out:
        m.export_markovify(model, out)
    for read in (m.import_arpa, m.import_counts, m.import_markovify, m.import_model):
        made: m.Model = read(text)
    perplexity: float = m.score([model, "a.npz"], text, weights=[1, 2]).perplexity
    costs: list[float] = [u.bits for u in m.score_units(model, texts="a b")] + [
        t.bits for t in m.score_tokens(model, text)
    ]
    each: list[m.TextScore] = list(m.score_texts(model, ["a b", "c"]))
    best: list[int | None] = [c.index for c in m.classify([model, "a.npz"], ["a b"])]
    weights: tuple[float, ...] = m.tune_mixture([model, "a.npz"], text).weights
    parts: tuple[m.TunedPart, ...] = m.tune(model, text, classes=[3], adapt=True).parts
    session: m.Session = m.explore(model, "the", seed=1)
    rows: tuple[m.Follower, ...] = session.state(3).followers
    first: m.Follower = m.inspect_history(model, "the").backoff[0].followers[0]
    bits: float | None = m.inspect(model).orders[0].entropy_bits
    whole: bool = m.verify("a.npz").whole
    known: list[str] = m.vocabulary("a.npz")
    in_page: int = sum(m.page(model, max_bytes=10**6).ngrams_after)
    found: m.TraceReport = m.trace(texts=(t.text for t in model.generate(3)), corpus=text)
    places: list[tuple[str, int]] = [(f.file, f.line) for f in found.fragments]
    mixed: list[m.Text] = list(m.Mixture([model, "a.npz"]).generate(2, constraints=m.Constraints(contains=["cat"])))
    as_json: dict[str, object] = found.to_dict()
    try:
        model.followers("zebra")
    except m.HistoryError as error:
        print(error.message, error.hint)
