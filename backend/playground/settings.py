"""Settings of a server, from the environment (`PLAYGROUND_…`) or the command line."""

import os
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The field `host` is set by `PLAYGROUND_HOST`, and so on. Lists are JSON: `["https://example.org"]`."""

    model_config = SettingsConfigDict(env_prefix="PLAYGROUND_", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    workers: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = Field(
        default="auto",
        description="Worker processes that train; `auto`: one a core but one, or one for a GPU",
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="Where to train: `auto`, `cpu`, `cuda` or `cuda:1`",
    )
    database: str = Field(
        default="playground.db",
        min_length=1,
        description="Where sessions and runs are kept: a file for SQLite, or `postgresql://…`",
    )
    max_sessions: int = Field(
        default=200, ge=1, description="Sessions at one time; one more is told to come back later"
    )
    runs_at_once: int = Field(
        default=2, ge=1, le=64, description="Scripted runs that train at one time, of each worker"
    )
    max_runs_waiting: int = Field(
        default=1000, ge=1, description="Scripted runs that wait; one more is told to come back later"
    )
    session_idle_seconds: float = Field(
        default=1800, gt=0, description="A session that nobody watches or calls for so long is dropped"
    )
    allowed_origins: list[str] = Field(
        default=[], description='Other sites whose pages may use this server, as `["https://example.org"]`'
    )
    root_path: str = Field(default="", description="Path under which a reverse proxy serves the playground")
    log_level: str = Field(
        default="info", pattern="^(critical|error|warning|info|debug)$", description="How much to log"
    )
    shutdown_seconds: float = Field(
        default=5.0, ge=0, description="How long requests may take to finish when the server stops"
    )

    @property
    def worker_count(self) -> int:
        """How many workers `workers` means here, at least one. On a GPU sessions that are alike train as one,
        which takes one worker."""
        if self.workers != "auto":
            return self.workers
        import torch  # here, not above: help and completion need not wait for it

        if self.device.startswith("cuda") or (self.device == "auto" and torch.cuda.is_available()):
            return 1
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(max(1, cores - 1), 64)
