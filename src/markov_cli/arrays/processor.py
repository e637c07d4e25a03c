"""Sets what NumPy asks for when it is imported: its threads and its instructions; it imports no NumPy itself."""

from __future__ import annotations

import os
import re
import sys

# of NumPy from 2.4 on, and of those before; names that a version does not know make a warning that Python ignores
_AVX512 = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # OpenBLAS takes the first that is set


def set_up_numpy() -> None:
    """Choose the threads and the instructions of NumPy for a process that has not imported it yet.

    No threads of OpenBLAS: it starts one a core when NumPy is imported, and each waits in a loop for a tenth of a
    second, as much of the processor's time as a short command takes. The program has threads of its own, and a product
    of matrices that several threads share can differ in its last bit with their number.

    AVX2 in place of AVX-512 on AMD's Zen 4: NumPy's sort writes with the instruction `vpcompressq`, which takes over a
    hundred cycles there: a million random keys of 64 bits take 51 ns each, and 11 ns with AVX2. The order is the same.

    Variables that are set stay. Nothing is done where NumPy is there already, for which it would be too late, and a
    process that shows or raises warnings by an option keeps its instructions.

    Source: NumPy's documentation of NPY_DISABLE_CPU_FEATURES; numpy/x86-simd-sort issue 6; OpenBLAS's documentation
    of OPENBLAS_NUM_THREADS.
    """
    if "numpy" in sys.modules:
        return
    if not any(name in os.environ for name in _BLAS_THREADS):
        os.environ[_BLAS_THREADS[0]] = "1"
    if not sys.warnoptions and is_zen_4():
        os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", _AVX512)


def is_zen_4(told: str | None = None) -> bool:
    """True on a processor of AMD's family 25 that has AVX-512, as far as the system tells.

    told  what it tells, in place of this machine's: the beginning of Linux's /proc/cpuinfo, or Windows'
          PROCESSOR_IDENTIFIER, which has no word on AVX-512: then Zen 3, which has none, counts as Zen 4

    >>> is_zen_4("AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD")
    True
    >>> is_zen_4("vendor_id : AuthenticAMD\\ncpu family : 25\\nflags : avx2 avx512f")
    True
    >>> is_zen_4("vendor_id : AuthenticAMD\\ncpu family : 26\\nflags : avx2 avx512f")
    False
    """
    if told is None:
        told = os.environ.get("PROCESSOR_IDENTIFIER", "")
        try:
            with open("/proc/cpuinfo", "rb") as file:
                told = file.read(4096).decode("ascii", "replace")
        except OSError:  # not Linux
            pass
    family = re.search(r"(?i)\bfamily\s*:?\s*(\d+)", told)
    if family is None or family[1] != "25" or "AuthenticAMD" not in told:
        return False
    return "flags" not in told or "avx512f" in told
