"""The `markov` command, and `python -m markov_cli`: one run of the program in a process of its own."""

import atexit
import os
import sys

from .arrays.processor import set_up_numpy

set_up_numpy()  # before any module imports it

from .cli.main import main  # noqa: E402


def run() -> None:
    """Run the command line, and end the process without taking the interpreter apart.

    All is done when the exit code is known: files are in place, results are flushed, threads have ended. To free each
    object one by one would take 25 ms more, a tenth of a short run; the system frees a process's memory at once.
    """
    try:
        main()
    except SystemExit as end:
        if sys.getprofile() is None and sys.gettrace() is None:  # a profiler writes its findings later
            atexit._run_exitfuncs()
            os._exit(end.code if isinstance(end.code, int) else 0)
        raise


if __name__ == "__main__":
    run()
