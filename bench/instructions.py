"""Every contender held to the instructions of one processor, by the environment of whoever measures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import binding

from playground.training.compiled.processor import registers, target

AVX2 = "x86-64-v3"
"""What LLVM calls a processor with AVX2 and multiply-adds, and nothing later."""
LIMITS = {
    1: ("AVX512", "avx512", "AVX512_CORE"),
    2: ("AVX2", "avx2", "AVX2"),
    4: ("SSE4_2", "default", "SSE41"),
}
"""For JAX, for PyTorch and for its oneDNN: by the registers that sixteen numbers take."""


def variables(processor: str) -> dict[str, str]:
    _, taken = registers(binding.get_process_triple(), processor, "")
    xla, aten, onednn = LIMITS[taken]
    return {
        "NUMBA_CPU_NAME": processor,
        "NUMBA_CPU_FEATURES": "",
        "XLA_FLAGS": f"--xla_cpu_max_isa={xla}",
        "ATEN_CPU_CAPABILITY": aten,
        "ONEDNN_MAX_CPU_ISA": onednn,
    }


@contextmanager
def held_to(processor: str) -> Iterator[None]:
    """What is started meanwhile is held to it."""
    before = dict(os.environ)
    os.environ.update(variables(processor))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def has_more_than_avx2() -> bool:
    return registers()[1] == 1


def compiled_for() -> str:
    return target()[0]
