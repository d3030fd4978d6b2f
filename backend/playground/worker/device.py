"""What a worker trains on."""

import platform

import torch


def kind_of(device: str) -> str:
    """The name of a GPU, or of a processor, as far as the bits of a result depend on it: two kinds of them
    may round differently."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} {_model()} {torch.backends.cpu.get_cpu_capability()}"


def _model() -> str:
    """As the compiler of the kernel calls it."""
    try:
        from llvmlite import binding
    except ImportError:
        return "processor"
    return binding.get_host_cpu_name()
