"""Many small pieces of work on the GPU, launched as one."""

from collections.abc import Callable
from typing import Generic, TypeVar

import torch

Result = TypeVar("Result")


class CudaGraph(Generic[Result]):
    """Work that is done in place, on the same tensors each time: only the numbers in them are others.

    The first call runs it as it is, to warm up; the second captures it, and from then on it is replayed. What
    it returns is overwritten by the next call.
    """

    def __init__(self, work: Callable[[], Result], device: torch.device):
        self._work = work
        self._stream = torch.cuda.Stream(device)
        self._warm = False
        self._captured: tuple[torch.cuda.CUDAGraph, Result] | None = None

    def __call__(self) -> Result:
        here = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(here)  # CUDA captures on a stream aside, and wants the warming up there too
        if not self._warm:
            self._warm = True
            with torch.cuda.stream(self._stream):
                result = self._work()
        else:
            if self._captured is None:
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=self._stream):
                    self._captured = graph, self._work()
            graph, result = self._captured
            with torch.cuda.stream(self._stream):
                graph.replay()
        here.wait_stream(self._stream)
        return result
