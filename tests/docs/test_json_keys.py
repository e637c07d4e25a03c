"""reference/json.md names every key that a command's --json writes, with its type, and no other.

Each section of the page has a table; a key in an object of a list is written `followers[].token`, one in an object
`repairs.invalid`, and `{}` stands for keys that are numbers. Each command here is run with
--json, and all keys that it writes are collected.
"""

import json
import os
import re

import pytest
from documents import ROOT, page_text
from shell import Shell

pytestmark = pytest.mark.skipif(os.name == "nt", reason="what is prepared needs a Unix shell")
PAGE = ROOT / "docs/reference/json.md"
SMALL = "the cat sat on the mat. the dog sat on the log. the cat saw the dog. a dog saw a cat."
PREPARED = [
    f"printf '%s' '{SMALL}' > small.txt",
    "printf 'zebras run. the cat sat.' > other.txt",
    "head -60 corpora/harbour.txt > story.txt; tail -n 40 corpora/harbour.txt > later.txt",
    "markov train small.txt -o small.npz -q; markov train other.txt -o other.npz -q",
    "markov train story.txt -n 4 -o story.npz -q",
    "markov train small.txt --guard 5 -o guard.npz -q",
    "markov train small.txt --min-sequences 2 --cap-per-sequence 1 --min-type-count 2 -o kept.npz -q",
    "cp small.txt same.txt; markov train small.txt same.txt --min-files 2 -o files.npz -q",
    "markov train small.txt --prune 0,0,1 -o pruned.npz -q",
    "markov prune small.npz --max-types 5 -o types.npz -q",
    "printf 'the\\ncat\\n' > words.txt; markov train small.txt --vocab words.txt -o listed.npz -q",
    "markov prune small.npz --vocab words.txt -o asked.npz -q",
    "markov train small.txt --no-borders -o endless.npz -q",
    "markov train small.txt --keep-newlines -o poem.npz -q",
    "printf '<s> the cat </s>' > marked.txt; markov train marked.txt --tokenizer spaces -o marked.npz -q",
    "markov export small.npz -o small.arpa -q; markov export small.npz --format counts -o small.tsv -q",
    "markov import small.arpa --tokenizer words -o arpa.npz -q",
    "printf 'a b\\t40\\nb a\\t50\\n' > cut.tsv; markov import cut.tsv -o cut.npz -q",
    "markov train small.txt --tokenizer regex --pattern '[a-z]+' --keep-newlines -o regex.npz -q",
    'printf \'{"t": "the cat"}\\n\' > web.jsonl',
    'printf \'{"t": "the cat", "w": 1}\\n{"t": "dogs", "w": 2}\\n\' > who.jsonl',
    "markov train who.jsonl --jsonl t --group-by w -o 'who/{}.npz' -q",
    "markov canary make --format 'pin {d} {d}' --count 5 --repeat 1 -s 1 -o c.txt -q",
    "markov train small.txt c.txt -o canary.npz -q",
    "cp story.npz bad.npz; printf X | dd of=bad.npz bs=1 seek=20000 conv=notrunc 2> /dev/null",
]
COMMANDS = {
    "train": [
        "markov train small.txt -o m.npz",
        "markov train small.txt --guard 5 -o m.npz",
        "printf 'the\\ncat\\n' > words.txt; markov train small.txt --vocab words.txt -o m.npz",
        "markov train small.txt --update small.npz -o m.npz",
        "markov train small.txt --min-sequences 2 --cap-per-sequence 1 -o m.npz",
        "markov train small.txt same.txt --min-files 2 -o m.npz",
        "markov train small.txt --tokenizer regex --pattern '[a-z]+' -o m.npz",
    ],
    "train --group-by": ["markov train who.jsonl --jsonl t --group-by w -o 'g/{}.npz'"],
    "generate": [
        "markov generate small.npz -s 1",
        "markov generate small.npz -s 1 --contains cat",
        "markov generate small.npz -s 1 --corpus small.txt",
        "markov generate small.npz -s 1 -c 5 --trace --corpus small.txt --baseline other.txt",
        "markov generate guard.npz -s 1 --novel 5",
        "markov generate small.npz -s 1 --model other.npz",
    ],
    "generate --stream": ["markov generate small.npz -s 1 -c 2 --stream"],
    "explore": ["markov explore small.npz --once --prompt the", "markov explore small.npz --once --smoothing kn"],
    "inspect": [
        "markov tune small.npz other.txt --classes 3 --adapt --log-linear -o t.npz -q; markov inspect t.npz",
        "markov inspect small.npz",
        "markov inspect guard.npz",
        "markov inspect kept.npz",
        "markov inspect marked.npz",
        "markov inspect types.npz",
        "markov inspect listed.npz",
        "markov inspect asked.npz",
        "markov inspect endless.npz",
        "markov inspect poem.npz",
        "markov inspect files.npz",
        "markov inspect pruned.npz",
        "markov inspect arpa.npz",
        "markov inspect regex.npz",
        "markov inspect cut.npz",
    ],
    "inspect HISTORY": ["markov inspect small.npz the cat", "markov inspect small.npz cat --smoothing kn"],
    "inspect --vocab": ["markov inspect small.npz --vocab"],
    "inspect --verify": ["markov inspect small.npz --verify", "markov inspect bad.npz --verify"],
    "score": [
        "markov score small.npz other.txt --spell",
        "markov score small.npz other.txt",
        "markov score small.npz other.txt --model other.npz",
    ],
    "score --mix": ["markov score small.npz other.txt --model other.npz --mix 0.5,0.5"],
    "score --tune": [
        "markov score small.npz --model other.npz --tune other.txt",
        "markov score small.npz other.txt --model other.npz --tune other.txt",
    ],
    "score --each line": ["markov score small.npz other.txt --each line"],
    "score --each token": ["markov score small.npz other.txt --each token"],
    "score --classify": ["markov score small.npz other.txt --model other.npz --classify"],
    "score --classify --label": ["markov score who who.jsonl --classify --jsonl t --label w"],
    "score --jsonl": [
        "markov score small.npz web.jsonl --jsonl t",
        "markov score small.npz web.jsonl --jsonl t --cut 10,20",
    ],
    "score --max-perplexity": [
        "markov score small.npz other.txt --max-perplexity 1e9",
        "markov score small.npz other.txt --cut 10,20",
    ],
    "audit": [
        "markov audit story.npz",
        "markov audit pruned.npz",
        "markov audit kept.npz",
        "markov audit files.npz",
        "markov audit guard.npz",
        "markov audit story.npz --corpus story.txt --heldout later.txt",
        "markov audit small.npz --corpus small.txt --corpus small.txt",
    ],
    "audit --member": ["markov audit small.npz --member other.txt"],
    "trace": [
        "markov trace story.txt --corpus story.txt --baseline later.txt",
        "markov trace later.txt --corpus story.txt",
    ],
    "page": ["markov page small.npz -o p.html", "markov page story.npz --max-size 200k -o p.html"],
    "canary make": ["markov canary make --format 'pin {d} {d}' --count 2 -s 1 -o d.txt --keys d.json"],
    "canary score": ["markov canary score canary.npz canaries.json"],
    "merge": [
        "markov merge small.npz other.npz -o m.npz",
        "markov merge guard.npz guard.npz -o m.npz",
        "markov merge small.npz other.npz --tune other.txt -o m.npz",
    ],
    "forget": [
        "markov train small.txt other.txt -o both.npz -q; markov forget both.npz small.txt -o m.npz",
        "markov train who.jsonl --jsonl t -o both.npz -q; markov forget both.npz who.jsonl --jsonl t --by w=1 -o m.npz",
    ],
    "prune": [
        "markov prune small.npz --prune 0,0,1 -o m.npz",
        "markov prune small.npz --threshold 0.1 -o m.npz",
        "markov prune small.npz --threshold 0.1 --heldout other.txt -o m.npz",
        "markov prune guard.npz --prune 0,0,1 -o m.npz",
        "markov prune small.npz --vocab words.txt -o m.npz",
    ],
    "tune": [
        "markov tune guard.npz other.txt --classes 3 --adapt -o m.npz",
        "markov tune small.npz other.txt --classes 3 --log-linear -o m.npz",
    ],
    "export": ["markov export small.npz -o m.arpa", "markov export small.npz --format counts -o m.tsv"],
    "import": [
        "markov import small.arpa --tokenizer words -o m.npz",
        "markov import small.tsv --tokenizer words -o m.npz",
    ],
    "completion": ["markov completion bash"],
    "man": ["markov man pages"],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """{section: all keys that its commands write}."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "corpora").symlink_to(ROOT / "corpora", target_is_directory=True)
    shell = Shell(folder)
    for line in PREPARED:
        assert shell.run(line) == "", line
    out = {}
    for section, lines in COMMANDS.items():
        keys = out.setdefault(section, {})
        for line in lines:
            said = shell.run(f"{line} --json 2> notes")
            assert said, (line, (folder / "notes").read_text())
            for one in said.splitlines():
                _collect(json.loads(one), "", keys)
    del out["score --jsonl"]["t"]  # what the document itself has
    return out


def _kind(value):
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text", list: "list", dict: "object"}
    return "null" if value is None else kinds[type(value)]


def _collect(value, path, found):
    """Add the kind of each key to found[key]."""
    if isinstance(value, list):
        for one in value:
            _collect(one, f"{path}[]" if path else "", found)
    elif isinstance(value, dict):
        for name, one in value.items():
            inner = f"{path}.{'{}' if name.isdigit() else name}" if path else name
            found.setdefault(inner, set()).add(_kind(one))
            _collect(one, inner, found)


def _slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


SECTIONS = {_slug(s.split("\n")[0]): s for s in page_text(PAGE).split("\n## ")[1:]}


def _documented(section):
    """{key: kinds} of a section's table; `the keys of [guard](#guard)` brings those of another section."""
    out = {}
    text = SECTIONS[_slug(section)]
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = [c.strip() for c in line.strip("|").split("|")]
            assert len(cells) == 4 and cells[1] and cells[3], line
            kinds = {one.split()[0].removesuffix("s") for one in cells[1].split(" or ")}
            for key in re.findall(r"`([^`]+)`", cells[0]):
                out[key] = kinds
                for other in re.findall(r"the keys of \[[^\]]*\]\(#([^)]*)\)", cells[3]):
                    dot = "[]." if "list" in kinds else "."
                    out |= {f"{key}{dot}{k}": v for k, v in _documented(other).items()}
    for other in re.findall(r"^The keys of \[[^\]]*\]\(#([^)]*)\)", text, re.MULTILINE):
        out = {**_documented(other), **out}
    return out


@pytest.mark.parametrize("section", COMMANDS)
def test_every_key_is_documented_and_exists(section, written):
    told, found = _documented(section), written[section]
    assert sorted(told) == sorted(found)
    for key, kinds in found.items():
        allowed = told[key] | ({"integer"} if "number" in told[key] else set())
        assert kinds <= allowed, f"{key}: {kinds}, and the page says {told[key]}"
