"""A server of processes: it has imported the program once, and forks for each run.

A run is a process of its own, with its own stdin, stdout, stderr, environment and folder, and ends as the interpreter
ends. Only the start is saved: importing NumPy, Click and rich takes ten times as long as most runs.

    python tests/fork_server.py FD       FD is a Unix socket; a request is JSON and three file descriptors
"""

import contextlib
import gc
import io
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

# NumPy's library would start threads while it is imported, and a process with threads should not fork
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# what the interpreter itself reads when it starts; a run that changes one of these needs a start of its own
AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "NPY_", *ONE_THREAD)


def at_start(env):
    """The part of an environment that an interpreter reads before the program runs."""
    return {name: value for name, value in env.items() if name.startswith(AT_START)}


class ForkServer:
    """The client's side. The server starts with the first run."""

    def __init__(self):
        self._process = None

    def serves(self, env):
        """Say whether a run in this environment starts as the server did."""
        return self._process is None or self._at_start == at_start(env)

    def start(self, args, fds, *, env, cwd=None):
        """Start the program with these three standard streams, which are closed here; its process id.

        One at a time: `ended` comes before the next start.
        """
        if self._process is None:
            self._begin(env)
        request = json.dumps({"args": args, "env": env, "cwd": str(cwd or Path.cwd())}).encode()
        socket.send_fds(self._socket, [len(request).to_bytes(4, "little")], fds)
        self._socket.sendall(request)
        for fd in set(fds):
            os.close(fd)
        return self._number()

    def ended(self):
        """Wait for the end; the return code, negative for a signal."""
        return self._number()

    def run(self, args, *, stdin, env, cwd, timeout):
        """Run the program between pipes: subprocess.CompletedProcess, with bytes."""
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        pid = self.start(args, [theirs_in, theirs_out, theirs_err], env=env, cwd=cwd)
        late = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        late.start()
        out, err = exchange(ours_in, stdin, ours_out, ours_err)
        code = self.ended()
        late.cancel()
        return subprocess.CompletedProcess(args, code, out, err)

    def close(self):
        """End the server."""
        if self._process is not None:
            self._socket.close()
            self._process.wait()
            self._process = None

    def _begin(self, env):
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env={**env, **ONE_THREAD}, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._at_start = at_start(env)

    def _number(self):
        data = self._socket.recv(8, socket.MSG_WAITALL)
        if len(data) < 8:
            raise RuntimeError("the fork server has ended")
        return int.from_bytes(data, "little", signed=True)


def exchange(to, data, *froms):
    """Write data to a pipe and read the others to their ends, as each is ready; all are closed."""
    parts = {fd: [] for fd in froms}
    with selectors.DefaultSelector() as ready:
        for fd in froms:
            ready.register(fd, selectors.EVENT_READ)
        ready.register(to, selectors.EVENT_WRITE)
        rest = memoryview(data)
        while ready.get_map():
            for key, _ in ready.select():
                fd = key.fd
                if fd == to:
                    try:
                        rest = rest[os.write(fd, rest[: select.PIPE_BUF]) if rest else 0 :]
                    except BrokenPipeError:  # the program does not read it
                        rest = rest[:0]
                    if rest:
                        continue
                elif part := os.read(fd, 1 << 16):
                    parts[fd].append(part)
                    continue
                ready.unregister(fd)
                os.close(fd)
    return [b"".join(parts[fd]) for fd in froms]


def serve(connection):
    """Answer requests one after another; returns only in a fork, which then is the program."""
    while True:
        head, fds, _, _ = socket.recv_fds(connection, 4, 3)
        if not head:
            os._exit(0)
        request = json.loads(connection.recv(int.from_bytes(head, "little"), socket.MSG_WAITALL))
        pid = os.fork()
        if pid == 0:
            become(request, connection, fds)
            return
        for fd in fds:
            os.close(fd)
        connection.sendall(pid.to_bytes(8, "little", signed=True))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        connection.sendall(code.to_bytes(8, "little", signed=True))


def become(request, connection, fds):
    """Take the run's standard streams, environment and folder, as an interpreter that starts would have them."""
    connection.close()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[:] = ["", *request["args"]]
    sys.path[0] = request["cwd"]
    sys.stdin = sys.__stdin__ = stream(0, "r", sys.stdin)
    sys.stdout = sys.__stdout__ = stream(1, "w", sys.stdout)
    sys.stderr = sys.__stderr__ = stream(2, "w", sys.stderr)


def stream(fd, mode, like):
    """A standard stream, of the encoding that the server's own has."""
    raw = io.FileIO(fd, mode, closefd=False)
    buffered = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    newline = "\n" if mode == "w" else None
    text = io.TextIOWrapper(buffered, like.encoding, like.errors, newline, line_buffering=raw.isatty() or fd == 2)
    text.mode = mode
    return text


def preload():
    """Import all that a run may import, but not what is run."""
    import pkgutil
    from importlib import import_module

    import rich.console
    import rich.progress
    import rich.table
    import rich.text  # noqa: F401

    import markov_cli

    for module in pkgutil.walk_packages(markov_cli.__path__, "markov_cli."):
        if module.name != "markov_cli.__main__":
            with contextlib.suppress(ImportError):  # of optional packages
                import_module(module.name)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    wire = socket.socket(fileno=int(sys.argv[1]))
    preload()
    gc.freeze()  # or every fork would copy what the collector touches
    serve(wire)
    runpy.run_module("markov_cli", run_name="__main__", alter_sys=True)
