"""Run a program on a pseudo-terminal and type into it."""

import codecs
import os
import select
import subprocess
import sys
import time

# makes the terminal the controlling one; `pty.fork` warns in a process with threads, and warnings are errors
_START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
_OUTER = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


class Terminal:
    """A program that runs on a pseudo-terminal of its own, whatever the outer terminal is."""

    def __init__(self, *args, columns=80, **env):
        self.fd, theirs = os.openpty()
        outer = {k: v for k, v in os.environ.items() if k not in _OUTER}
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", _START, *map(str, args)], stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, env={**outer, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm", **env},
        )  # fmt: skip
        os.close(theirs)
        self.data, self.seen, self.at = b"", "", 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def until(self, text, seconds=120):
        """Read until the program shows `text`; returns everything since the last call."""
        begin, end = self.at, time.monotonic() + seconds
        while text not in self.seen[begin:]:
            assert time.monotonic() < end, repr(self.seen[begin:])
            if not self._read():
                return self.seen[begin:]
        self.at = self.seen.index(text, begin) + len(text)
        return self.seen[begin : self.at]

    def _read(self):
        """Read once; False at the end of output."""
        if select.select([self.fd], [], [], 0.2)[0]:
            try:
                piece = os.read(self.fd, 65536)
            except OSError:  # Linux says so when the other end is closed
                return False
            self.data += piece
            self.seen += self._decode(piece)
            return bool(piece)
        return True

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def close(self, interrupt=False, seconds=120):
        """Read to the end; returns the exit code.

        interrupt  type Ctrl-C again every 5 s: Python's input() can miss one right after its prompt
        """
        now = time.monotonic()
        end, again = now + seconds, now + 5
        while self._read():
            now = time.monotonic()
            assert now < end, repr(self.seen[self.at :])
            if interrupt and now > again:
                self.type("\x03")
                again = now + 5
        os.close(self.fd)
        return self.process.wait(seconds)
