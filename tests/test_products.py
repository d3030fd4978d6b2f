"""The blocks of sums fit into the registers of each kind of processor."""

import re

import pytest
from llvmlite import binding, ir

from playground.training.compiled.processor import registers
from playground.training.compiled.products import blocks, write_block

X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
PROCESSORS = {
    "AVX-512": (X86, "znver4", (32, 1), 8),
    "AVX2": (X86, "x86-64-v3", (16, 2), 6),
    "NEON": (ARM, "cortex-a76", (32, 4), 6),
    "SSE": (X86, "x86-64", (16, 4), 2),
}


@pytest.fixture(scope="module", autouse=True)
def _every_target():
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()


@pytest.mark.parametrize("name", PROCESSORS)
def test_blocks_are_as_large_as_the_registers_allow(name):
    triple, processor, expected, largest = PROCESSORS[name]
    assert registers(triple, processor, "") == expected
    assert blocks(*expected)[0] == largest
    assert blocks(*expected)[-1] == 1, "any number of sums is left over to someone"


@pytest.mark.parametrize("name", PROCESSORS)
def test_no_sum_leaves_its_register_while_it_is_added_up(name):
    triple, processor, _, largest = PROCESSORS[name]
    loops = [block for block in basic_blocks(assembly(triple, processor, largest)) if is_multiplying(block)]
    assert loops
    assert not [line for block in loops for line in block if spills(line)]


def assembly(triple, processor, size):
    """Of a block of so many sums."""
    word, data = ir.IntType(64), ir.FloatType().as_pointer()
    a, numbers = [data], [word] * 3
    kinds = [*a, *numbers, *a, *numbers, *a, *numbers]
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "block")
    builder = ir.IRBuilder(function.append_basic_block())
    write_block(builder, function.args, size, 1, "", False)
    builder.ret_void()
    module.triple = triple
    machine = binding.Target.from_triple(triple).create_target_machine(processor, "", opt=3)
    parsed = binding.parse_assembly(str(module))
    builder_of_passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(3))
    builder_of_passes.getModulePassManager().run(parsed, builder_of_passes)
    return machine.emit_assembly(parsed)


def basic_blocks(code):
    return [block.splitlines() for block in re.split(r"^\.L\w+:", code, flags=re.MULTILINE)]


def is_multiplying(block):
    return any(re.search(r"\sfml[as]\b|\svfn?madd|\smulps", line) for line in block)


def spills(line):
    """Whether it moves a vector to or from the stack."""
    return re.search(r"\[sp|\(%rsp|\(%rbp", line) and re.search(r"[xyz]mm|\b[qv]\d", line)
