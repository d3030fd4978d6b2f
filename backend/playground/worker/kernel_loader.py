"""The compiled trainer of a worker. It can do without: the reference trainer needs no numba."""

import logging
import subprocess
import time
from threading import Thread

from playground.messages.worker import TrainerStatus

log = logging.getLogger("playground.worker")


class KernelLoader:
    """Of this process and of those that it forks. `failure` says why there is none, if there is none."""

    def __init__(self) -> None:
        self.failure = ""
        self._cache = self._loading = None
        try:
            from playground.training.compiled import cache, loading
        except ImportError as error:
            self.failure = f"numba cannot be imported: {error}"
        else:
            self._cache, self._loading = cache, loading

    def compile(self) -> subprocess.Popen[bytes] | None:
        """The process that compiles it; None where it is compiled already, or cannot be."""
        return self._cache.compile_beside() if self._cache and not self._cache.is_compiled() else None

    def load_if_compiled(self) -> None:
        if self._loading and self._cache and self._cache.is_compiled() and not self.failure:
            try:
                self._loading.load()
            except Exception as error:  # numba's private parts may be others than those it was written for
                log.exception("the kernel cannot be loaded")
                self.failure = f"the kernel cannot be loaded: {type(error).__name__}: {error}"

    def load_when_compiled(self) -> None:
        """In a thread of its own, so that sessions train on meanwhile."""

        def wait() -> None:
            while self._cache and not self._cache.is_compiled():
                time.sleep(1)
            self.load_if_compiled()

        if self.status().trainer == "compiling":
            Thread(target=wait, daemon=True).start()

    def status(self) -> TrainerStatus:
        if self.failure:
            return TrainerStatus(trainer="reference", detail=self.failure)
        if self._loading and self._loading.is_loaded():
            return TrainerStatus(trainer="compiled", detail="the compiled kernel trains")
        return TrainerStatus(
            trainer="compiling",
            detail="the kernel is being compiled; until then the reference trainer trains",
        )
