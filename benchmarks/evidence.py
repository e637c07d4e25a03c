"""Audit figures of models of one text, and of books if present, written into docs/explanation/evidence.md.

    python benchmarks/evidence.py --write docs/explanation/evidence.md
    python benchmarks/evidence.py --books DIR --write docs/explanation/evidence.md

The text is corpora/harbour.txt: each tenth paragraph is held out, the others are trained on. Books are
tinyshakespeare.txt (as speeches, and as one stream) and warandpeace.txt (as paragraphs), split at white space.
Every figure comes from `markov_cli.evidence.model_evidence.audit` and depends on the text only.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import markov_cli
from markov_cli.evidence.model_evidence import audit, member
from markov_cli.evidence.table import spanning_trees
from markov_cli.evidence.table.audit import Audit, OrderAudit
from markov_cli.text.reading import Source

HERE = Path(__file__).resolve().parent
MODELS = [("bigrams", 2, ()), ("5-grams", 5, ()), ("5-grams, pruned", 5, (0, 1))]
BOOKS = [
    ("Shakespeare, by speech", "tinyshakespeare.txt", "paragraph"),
    ("Shakespeare, one stream", "tinyshakespeare.txt", "file"),
    ("War and Peace, by paragraph", "warandpeace.txt", "paragraph"),
]


def percent(x: float | None) -> str:
    """A share, or a dash."""
    return "-" if x is None else f"{x:.1%}"


def number(x: float | None, digits: int = 0) -> str:
    """A number, or a dash."""
    return "-" if x is None else f"{x:,.{digits}f}"


def table(rows: list[list[str]]) -> Iterator[str]:
    """Rows as a Markdown table; the first is the head."""
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|---" * len(rows[0]) + "|"
    for row in rows[1:]:
        yield "| " + " | ".join(row) + " |"


# ------------------------------------------------------------ three models of one text


def divided(text: str) -> tuple[str, str]:
    """A text without each tenth paragraph, and those paragraphs."""
    parts = [p for p in text.split("\n\n") if p.strip()]
    return "\n\n".join(p for i, p in enumerate(parts) if i % 10 != 9), "\n\n".join(parts[9::10])


def three_models(path: Path) -> Iterator[str]:
    """A column for each model, a row for each figure."""
    kept, out = divided(path.read_text(encoding="utf-8"))
    text, other = Source("text", data=kept.encode()), Source("other", data=out.encode())
    columns: list[tuple[Audit, float]] = []
    for _, order, prune in MODELS:
        model = markov_cli.train(texts=[kept], order=order, prune=prune)
        found = audit(model, corpus=[text], heldout=[other])
        if found.against is None or found.against.is_not:
            raise SystemExit("the model's own text is said to be another")
        inside = member(model, [text])
        columns.append((found, float((inside.verdict == 1).mean())))

    def row(name: str, value: Callable[[OrderAudit, Any], str]) -> list[str]:
        return [name, *(value(a.orders[-1], a.against.orders[a.orders[-1].order]) for a, _ in columns if a.against)]

    rows = [["", *(name for name, _, _ in MODELS)]]
    rows.append(row("rows of the highest order", lambda o, _: f"{o.rows:,}"))
    rows.append(row("content forgotten, bits a token", lambda o, _: number(o.content_bits_per_token, 3)))
    rows.append(row("retained", lambda o, _: percent(o.retained)))
    rows.append(row("certain, 10 tokens or more", lambda o, _: percent(o.certain and o.certain[10])))
    rows.append(row("verified, 10 tokens or more", lambda _, x: percent(x.verified and x.verified[10])))
    rows.append(row("longest certain string, tokens", lambda o, _: number(o.longest)))
    rows.append(["sequences proven in", *(percent(share) for _, share in columns)])
    rows.append(row("10 tokens by greedy choice", lambda _, x: percent(x.greedy and x.greedy[10])))
    rows.append(row("sequences of a rebuilt text", lambda _, x: percent(x.rebuilt_sequences)))
    rows.append(row("10-grams of a rebuilt text", lambda _, x: percent(x.rebuilt_10grams)))
    rows.append(row("memorised, bits a token", lambda _, x: number(x.memorised, 2)))
    rows.append(row("perplexity of the text", lambda _, x: number(x.perplexity, 1)))
    rows.append(row("perplexity, leaving one out", lambda _, x: number(x.without, 1)))
    rows.append(row("perplexity of the text held out", lambda _, x: number(x.heldout, 1)))
    rows.append(row("membership, AUC", lambda _, x: number(x.auc, 3)))
    rows.append(row("rows of a single sequence", lambda _, x: percent(x.single_sequence)))
    yield from table(rows)


# ------------------------------------------------------------ books


def books(folder: Path, nodes: int) -> Iterator[str]:
    """A table for each book that is present."""
    spanning_trees.DENSE_NODES = nodes
    for title, name, unit in BOOKS:
        if not (folder / name).exists():
            continue
        data = (folder / name).read_bytes()
        model = markov_cli.train(texts=[data.decode()], order=7, tokenizer="spaces", unit=unit)
        found = audit(model, corpus=[Source(name, data=data)])
        rows = [
            ["order", "rows", "forgotten bits", "content, a token", "retained", "certain >=10", "bound >=10",
             "verified >=10, 20, 50", "half", "longest", "greedy 10, 50",
             "rebuilt sequences, 10-grams", "rows of one sequence"]
        ]  # fmt: skip
        for o in found.orders[1:]:
            assert found.against is not None and o.forgotten is not None
            assert o.certain is not None and o.certain_bound is not None
            x, f = found.against.orders[o.order], o.forgotten
            assert x.verified is not None and x.greedy is not None
            rows.append(
                [f"{o.order}", f"{o.rows:,}",
                 f"{f.bits:,.0f}" + ("" if f.how == "exact" else f" ± {f.error_bits:.0f}"),
                 number(o.content_bits_per_token, 4), f"{o.retained:.2%}", percent(o.certain[10]),
                 percent(o.certain_bound[10]), ", ".join(percent(x.verified[n]) for n in (10, 20, 50)),
                 number(o.half), number(o.longest), ", ".join(percent(x.greedy[n]) for n in (10, 50)),
                 f"{percent(x.rebuilt_sequences)}, {percent(x.rebuilt_10grams)}", percent(x.single_sequence)]
            )  # fmt: skip
        n = model.header.sequences
        yield f"**{title}**: {model.header.tokens:,} tokens in {n:,} sequence{'s' if n > 1 else ''}"
        yield ""
        yield from table(rows)
        yield ""


def between(text: str, name: str, lines: list[str]) -> str:
    """A document with one generated part replaced."""
    begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
    head, _, rest = text.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"no part {name!r} to write")
    return head + begin + "\n" + "\n".join(lines).strip() + "\n\n" + end + tail


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, default=HERE.parent / "corpora/harbour.txt")
    parser.add_argument("--books", type=Path, help="a folder with tinyshakespeare.txt and warandpeace.txt")
    parser.add_argument("--exact", type=int, default=6_000, help="nodes up to which a book's bits are exact")
    parser.add_argument("--write", type=Path, help="the document whose generated parts are replaced")
    args = parser.parse_args()
    parts = {"models": [*three_models(args.text)]}
    if args.books is not None:
        parts["books"] = [*books(args.books, args.exact)]
    for name, lines in parts.items():
        print("\n".join(lines), end="\n\n")
        if args.write is not None:
            text = args.write.read_text(encoding="utf-8")
            args.write.write_text(between(text, name, lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
