"""Helpers for tests of pages: hostile words, and the elements of a page as a browser finds them."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from markov_cli.render.html.page import page

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='\"",
    "</style><!--",
    "]]>&lt;&#60;",
    "a\u2028b\u2029c",
    "\u202eleft\u2066\u200f",
    "nul\x00\x1b[31m\x85",
    "\ud800 lone",
)


class Elements(HTMLParser):
    """The elements of a page as a browser's parser finds them: (tag, attributes, text inside) each, in order."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.found, self.open = [], []
        self.feed(data)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        if tag not in ("meta", "input"):
            self.open.append(self.found[-1])

    def handle_startendtag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1][2] += data

    def all(self, tag):
        return [one for one in self.found if one[0] == tag]


def of(body, scripts=()):
    return b"".join(page("a title", body, scripts)).decode()


def assert_harmless(data):
    """No element or attribute that runs or fetches something, and a policy that allows what is there and no more."""
    found = Elements(data)
    tags = {one[0] for one in found.found}
    assert not tags & {"img", "iframe", "object", "embed", "link", "form", "base"}
    for _, attributes, _ in found.found:
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("src", "style")
            assert name != "href" or value.startswith("#")
    hashes = {
        tag: [
            f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"
            for _, attributes, inside in found.all(tag)
            if "type" not in attributes
        ]
        for tag in ("style", "script")
    }
    (policy,) = (a["content"] for _, a, _ in found.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == (
        f"default-src 'none'; style-src {' '.join(hashes['style'])}; "
        f"script-src {' '.join(hashes['script']) or chr(39) + 'none' + chr(39)}; base-uri 'none'; form-action 'none'"
    )
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200f\u202e\u2066\ud800-\udfff]", data)
    return found
