"""The frame of every page: one file for a browser, with nothing from elsewhere.

A content security policy allows this style and these scripts by their hashes, and nothing else: no other script, no
request, no form. So markup that slipped through could not run either.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from .markup import inline


@cache
def asset(name: str) -> str:
    """A style or script of the package, with newlines as a browser counts them into a hash."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def page(
    title: str, body: Iterable[str], scripts: Sequence[str] = (), styles: Sequence[str] = ("style.css",)
) -> Iterator[bytes]:
    """A whole page, part by part.

    body     markup
    scripts  names of files in this folder, run in their order when the body is there
    styles   the same of styles
    """
    style, run = "\n".join(map(asset, styles)), [asset(name) for name in scripts]
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, run)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{inline(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    ).encode()
    for part in body:
        yield part.encode("utf-8", "replace")
    yield b"</main>\n"
    for script in run:
        yield f"<script>{script}</script>\n".encode()
    yield b"</body>\n</html>\n"


def _policy(style: str, scripts: Sequence[str]) -> str:
    """The content security policy of a page with these styles and scripts."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
