"""A program on a terminal of its own, and someone who types."""

import os
import select
import subprocess
import sys
import time

# makes its standard input its terminal, whose Ctrl-C reaches it; pty.fork would fork this process, which has threads
AS_ITS_OWN = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *args, columns=80, **env):
        import pty  # there is none on Windows

        self.fd, theirs = pty.openpty()
        env = {**os.environ, **env, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"}
        command = [sys.executable, "-S", "-c", AS_ITS_OWN, *map(str, args)]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        self.seen, self.at = "", 0

    def until(self, text, seconds=120):
        """Read on until it shows a text; what was shown since the last one."""
        begin, end = self.at, time.monotonic() + seconds
        while text not in self.seen[begin:]:
            assert time.monotonic() < end, repr(self.seen[begin:])
            if not self._read():
                return self.seen[begin:]
        self.at = self.seen.index(text, begin) + len(text)
        return self.seen[begin : self.at]

    def _read(self):
        """Whether there may be more."""
        if select.select([self.fd], [], [], 0.2)[0]:
            try:
                self.seen += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                return False
        return True

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def leave(self, keys, times=20):
        """Type keys, the last again until the program ends: input() misses a signal just after its prompt."""
        self.type(keys)
        for _ in range(times):
            end = time.monotonic() + 3
            while time.monotonic() < end:
                if not self._read():
                    return
            self.type(keys[-1])

    def close(self):
        """Read to the end; the exit code."""
        self.until("\0never")
        os.close(self.fd)
        return self.process.wait()
