"""`markov completion`."""

from __future__ import annotations

import json

import click

from .options import json_option


@click.command(short_help="Print a script that lets a shell complete commands and words.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@json_option
def completion(shell: str, as_json: bool) -> int:
    """Print a script for SHELL: bash, zsh or fish.

    \b
    source <(markov completion bash)             bash: for this session, or in ~/.bashrc
    markov completion zsh > ~/.zfunc/_markov     zsh: into a folder of $fpath
    markov completion fish > ~/.config/fish/completions/markov.fish

    The Tab key then completes commands, options, values, file names and the words of a model. After
    `inspect MODEL` it offers up to 60 words: first the followers of the words before, the commonest first, then
    other words of the model that begin with the letters typed. It does so too after --prompt, --contains,
    --without, --starts-with, --ends-with and --pattern.
    """
    from .completion_scripts import SCRIPTS

    if as_json:
        click.echo(json.dumps({"shell": shell, "script": SCRIPTS[shell]}))
    else:
        click.echo(SCRIPTS[shell], nl=False)
    return 0
