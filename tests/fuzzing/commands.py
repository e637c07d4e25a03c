"""Everything that opens a model, as the command line has it: M is the model, T its text, P a part of that.

B is a whole model, O an output.
"""

CHEAP = [
    "generate M -s 1 -c 20 --max-tokens 50",
    "generate M -s 2 -c 3 --json --max-tokens 30",
    "generate M -s 1 -c 2100 --max-tokens 8",
    "generate M -s 3 -c 5 --max-tokens 20 --temperature 0.7 --top-k 3",
    "generate M -s 3 -c 5 --max-tokens 20 --top-p 0.8",
    "generate M -s 3 -c 3 --max-tokens 20 --temperature 0",
    "generate M -s 3 -c 5 --max-tokens 20 --temperature 1.8 --null",
    "generate M -s 4 -c 5 --max-tokens 20 --prompt The_cat",
    "generate M -s 4 -c 5 --max-tokens 20 --prompt cat --within --ignore-case",
    "generate M -s 5 -c 5 --max-tokens 20 --smoothing kn",
    "generate M -s 5 -c 5 --max-tokens 20 --smoothing wb --temperature 0.5",
    "generate M -s 5 -c 5 --max-tokens 20 --smoothing abs --top-k 4",
    "generate M -s 5 -c 5 --max-tokens 20 --smoothing laplace",
    "generate M -s 5 -c 5 --max-tokens 20 --smoothing lidstone:0.1 --top-p 0.9",
    "generate M -s 5 -c 5 --max-tokens 20 --smoothing stupid",
    "generate M -s 6 -c 3 --contains cat --tokens 4..12",
    "generate M -s 6 -c 3 --contains cat --contains mat --in-order --json --max-tokens 30",
    "generate M -s 6 -c 3 --starts-with The --ends-with . --max-tokens 30",
    "generate M -s 6 -c 3 --without dog --pattern The_* --max-tokens 20",
    "generate M -s 6 -c 3 --tokens 5 --temperature 0.5",
    "generate M -s 6 -c 3 --smoothing kn --contains cat --max-tokens 15",
    "generate M -s 6 -c 2 --match a --characters 3..40 --max-tokens 20",
    "inspect M",
    "inspect M --json",
    "inspect M --format csv",
    "inspect M cat",
    "inspect M the cat --ignore-case --json",
    "inspect M --at-start --format csv",
    "inspect M The --format dot",
    "inspect M cat --smoothing kn",
    "inspect M sat on --smoothing wb --json --at-start",
    "inspect M zzz",
    "score M T",
    "score M T --smoothing none --json",
    "score M T --smoothing wb --each line",
    "score M T --each token",
    "score M T --model B --classify",
    "score M T --model B",
    "score M T --model B --mix 0.5,0.5",
    "score M T --each line --max-perplexity 50",
    "audit M --json",
    "audit M",
    "audit M --order 2 --min-tokens 2 --strings O",
    "audit M --rebuild O --seed 1",
    "audit M --member T",
    "export M -o O --format arpa",
    "export M -o O --format arpa --smoothing wb",
    "export M -o O --format counts",
    "export M -o O --format markovify",
    "prune M -o O --prune 0,1",
    "prune M -o O --max-types 3",
    "prune M -o O --threshold 0.01",
    "prune M -o O --size 3k",
    "merge M M -o O",
    "merge M B -o O",
    "merge M M -o O --weight 0.5 --weight 1.7",
    "train T --update M -o O -q",
    "forget M P -o O -q",
    "forget M P -o O --no-guard --json",
]
VERIFY = "inspect M --verify --json"


def arguments(line, model, text, part, whole, output):
    """A line of the list as arguments."""
    put = {"M": model, "T": text, "P": part, "B": whole, "O": output}
    return [put.get(word, word.replace("_", " ") if word != "_" else word) for word in line.split()]
