"""Run a program on a pseudo-terminal and type into it."""

import os
import select
import time


class Terminal:
    """A program that runs on a pseudo-terminal of its own."""

    def __init__(self, *args, columns=80, **env):
        import pty  # not on Windows

        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.environ.update({**env, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"})
                os.execvp(args[0], list(map(str, args)))
            finally:
                os._exit(127)  # never continue as a second test run
        self.seen, self.at = "", 0

    def until(self, text, seconds=20):
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
                self.seen += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                return False
        return True

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def close(self):
        """Read to the end; returns the exit code."""
        self.until("\0never")
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
