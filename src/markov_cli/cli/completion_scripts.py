"""Completion for shells: the scripts for bash, zsh and fish, and the answers to them.

The script gives the words of the line, one below another, in COMP_WORDS, the number of the last one in
COMP_CWORD, and _MARKOV_COMPLETE=SHELL_complete. The answer is a line for each completion: kind (plain, file
or dir), value and help with tabs between them.
"""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

BASH = r"""# completion of markov for bash: source this file, or put it into
# ~/.local/share/bash-completion/completions/markov
_markov_completion() {
    local IFS=$'\n' kind value rest
    COMPREPLY=()
    while IFS=$'\t' read -r kind value rest; do
        case $kind in
            file) compopt -o default 2>/dev/null ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            plain)
                case ${COMP_WORDS[COMP_CWORD]} in
                    [\"\']*) COMPREPLY+=("$value") ;;
                    *) COMPREPLY+=("$(printf %q "$value")") ;;
                esac ;;
        esac
    done < <(
        COMP_WORDS="${COMP_WORDS[*]:0:COMP_CWORD+1}" COMP_CWORD=$COMP_CWORD \
            _MARKOV_COMPLETE=bash_complete "$1" 2>/dev/null
    )
}
complete -o nosort -F _markov_completion markov 2>/dev/null || complete -F _markov_completion markov
"""

ZSH = r"""#compdef markov
# completion of markov for zsh: source this file behind compinit, or put it as _markov into a folder of $fpath
_markov() {
    local kind value help
    local -a plain named shown
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            file) _path_files -f ;;
            dir) _path_files -/ ;;
            plain)
                if [[ -n $help ]]; then
                    named+=("$value") shown+=("$value  -- $help")
                else
                    plain+=("$value")
                fi ;;
        esac
    done < <(
        COMP_WORDS="${(F)words[1,CURRENT]}" COMP_CWORD=$((CURRENT - 1)) \
            _MARKOV_COMPLETE=zsh_complete "$words[1]" 2>/dev/null
    )
    (( $#named )) && compadd -l -V markov-named -d shown -a named
    (( $#plain )) && compadd -V markov-plain -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _markov "$@"
else
    compdef _markov markov
fi
"""

FISH = r"""# completion of markov for fish: put it into ~/.config/fish/completions/markov.fish
function __markov_complete
    set -l before (commandline -opc)
    set -l begun (commandline -ct)
    set -lx COMP_WORDS (string join \n -- $before $begun | string collect)
    set -lx COMP_CWORD (count $before)
    set -lx _MARKOV_COMPLETE fish_complete
    for line in ($before[1] 2>/dev/null)
        set -l part (string split \t -- $line)
        switch $part[1]
            case file
                __fish_complete_path $begun
            case dir
                __fish_complete_directories $begun
            case plain
                printf '%s\t%s\n' $part[2] "$part[3]"
        end
    end
end
complete --command markov --no-files --keep-order --arguments '(__markov_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


class _Lines(ShellComplete):
    """Completion that reads the words of a command line and prints lines, alike for every shell."""

    source_template = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the word to complete, without quotes."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        last = int(os.environ.get("COMP_CWORD", "0"))
        plain = [self._unquoted(word) for word in words[: last + 1]]
        plain += [""] * (last + 1 - len(plain))
        return plain[1:last], plain[last] if last else ""

    def _unquoted(self, word: str) -> str:
        parts = split_arg_string(word)
        return " ".join(parts) + (" " if word.endswith(" ") and parts else "")

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """One completion as a line."""
        told = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{told}"

    def complete(self) -> str:
        """All lines; none after an error, since a half-typed line often is one."""
        try:
            return super().complete()
        except Exception:
            return ""


def enable() -> None:
    """Let the scripts above replace Click's own."""
    for shell in SCRIPTS:
        add_completion_class(type(f"_{shell.title()}", (_Lines,), {"name": shell}))
