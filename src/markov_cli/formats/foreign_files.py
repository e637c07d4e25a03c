"""Finds the files of an import, one of a format or a folder of counts, and tells their format from the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..errors import MarkovError, OptionError, TextError
from ..text.reading import Repairs, Source, find_sources
from ..text.sources import EXPANSION
from .detect import FORMATS, format_of, refuse_binary_model
from .opening import ForeignFile

MANY = ("counts", "books")  # formats whose models may lie in many files
# the Web 1T set has an index beside its files, and its words a second time, by count
_BESIDE = re.compile(r"(^|[/\\])([^/\\]*\.idx|vocab_cs[^/\\]*|readme[^/\\]*)$", re.IGNORECASE)


class ForeignFiles:
    """Files of another program, to be read once; the first is open.

    form      one of FORMATS
    left_out  files of folders that are no such files, by name; complete when all were read
    repairs   what was read otherwise, of all files so far
    """

    def __init__(
        self, paths: Sequence[str], form: str | None, encoding: str = "utf-8", expansion: float = EXPANSION
    ) -> None:
        """Find and open; TextError or ModelFileError where that fails, OptionError for an unknown format."""
        if form is not None and form not in FORMATS:
            raise OptionError(f"format {form!r}", f"one of {', '.join(FORMATS)}")
        if not paths:
            raise OptionError("no file to import", "name a file, a folder, or `-`")
        self.encoding, self.left_out = encoding, list[str]()
        self.repairs = Repairs()
        found = find_sources([*paths], expansion)
        sources = [s for s in found if s.explicit or not _BESIDE.search(s.path)]
        self.left_out += [s.name for s in found if not s.explicit and _BESIDE.search(s.path)]
        self.form, self._first, self._rest = self._begin(sources, form)
        self.name = self._first.name if not self._rest else " ".join(paths[:3])
        if self.form not in MANY and self._rest:
            self.close()
            raise OptionError(
                f"{len(sources):,} files, and a model of format {self.form} is one", f"name one: {self._first.name}"
            )

    def _begin(self, sources: list[Source], form: str | None) -> tuple[str, ForeignFile, list[Source]]:
        """The format, the first file that has it, and the sources behind it."""
        error: MarkovError | None = None
        for i, source in enumerate(sources):
            file = ForeignFile(source, self.encoding)
            try:
                if form is not None and source.explicit:
                    refuse_binary_model(file.head, file.name)
                found = form if form is not None and source.explicit else format_of(file)
                if form in (None, found):
                    return found, file, sources[i + 1 :]
            except MarkovError as said:
                error = error or said
                if source.explicit:
                    file.close()
                    raise
            file.close()
            self.left_out.append(source.name)
        raise error or TextError(
            f"{sources[0].name}: no file of format {form}", "choose another --format, or leave it out"
        )

    @property
    def one(self) -> ForeignFile:
        """The only file."""
        return self._first

    def each(self) -> Iterator[ForeignFile]:
        """The files, each open while it is read; those of a folder that have another form are left out."""
        yield self._first
        self._end(self._first)
        for source in self._rest:
            with ForeignFile(source, self.encoding) as file:
                try:
                    form = format_of(file)
                except MarkovError:
                    if source.explicit:
                        raise
                    form = ""
                if form == self.form:
                    yield file
                elif source.explicit:
                    raise OptionError(
                        f"{file.name}: {form}, and the first file holds {self.form}", "import each by itself"
                    )
                else:
                    self.left_out.append(file.name)
                self._end(file)

    def _end(self, file: ForeignFile) -> None:
        self.repairs.add(file.repairs)
        file.close()

    def close(self) -> None:
        """Close the first file."""
        self._first.close()
