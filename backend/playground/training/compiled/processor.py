"""What the kernel is compiled for: this processor, or the one that `NUMBA_CPU_NAME` and `NUMBA_CPU_FEATURES`
tell numba of."""

import re
from functools import cache

from llvmlite import binding
from numba.core import config

ADDITION = """
define void @add(ptr %p) {
  %a = load <16 x float>, ptr %p
  %sum = fadd <16 x float> %a, %a
  store <16 x float> %sum, ptr %p
  ret void
}"""


def target() -> tuple[str, str]:
    """Its name and features, as LLVM has them."""
    name: str | None = config.CPU_NAME  # pyright: ignore[reportAttributeAccessIssue]
    features: str | None = config.CPU_FEATURES  # pyright: ignore[reportAttributeAccessIssue]
    if features is None:
        features = binding.get_host_cpu_features().flatten()
    return name or binding.get_host_cpu_name(), features


@cache
def registers(triple: str = "", name: str = "", features: str = "") -> tuple[int, int]:
    """How many vector registers there are, and how many of them sixteen numbers take: as many as LLVM needs
    additions. Without a name, of the target."""
    if not name:
        triple, (name, features) = binding.get_process_triple(), target()
    machine = binding.Target.from_triple(triple).create_target_machine(name, features)
    code = machine.emit_assembly(binding.parse_assembly(f'target triple = "{triple}"{ADDITION}'))
    additions = sum(re.match(r"\s+v?f?addps|\s+fadd", line) is not None for line in code.splitlines())
    return (16 if triple.startswith(("x86", "i686")) and additions > 1 else 32), additions
