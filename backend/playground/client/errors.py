"""What the server refused, in its own words, and what never reached it."""

from __future__ import annotations

from typing import Any


class PlaygroundError(Exception):
    """Whatever goes wrong between a script and the server."""


class Unreachable(PlaygroundError):
    """Nobody answers at the address, or the connection broke before the answer was there."""


class Refused(PlaygroundError):
    """The server said no: a problem document (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]):
        self.status: int = problem.get("status", 0)
        """The HTTP status."""
        self.detail: str = problem.get("detail") or problem.get("title") or "no reason given"
        """What went wrong, in a sentence."""
        self.code: str | None = problem.get("code")
        """The same for programs, as `problem.invalid`."""
        self.errors: list[dict[str, Any]] = problem.get("errors") or []
        """For each field at fault its path (`field`), the rule (`message`), and more."""
        super().__init__(f"{self.status}: {self.detail}")


class Gone(Refused):
    """There is no such session, run or sweep (any more)."""
