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

    Tab then completes commands, options, their values and file names; and a model's own words: behind
    `inspect MODEL` first those that follow the words before, the commonest first, then any that
    begin so; likewise behind --prompt, --contains, --without, --starts-with, --ends-with
    and --pattern. 60 words at most.
    """
    from .completion_scripts import SCRIPTS

    if as_json:
        click.echo(json.dumps({"shell": shell, "script": SCRIPTS[shell]}))
    else:
        click.echo(SCRIPTS[shell], nl=False)
    return 0
