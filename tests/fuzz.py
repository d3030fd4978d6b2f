"""Requests of all kinds, generated from the document of the API: whatever is sent, it speaks of the answer.

`python -m tests.fuzz 10` does that for ten minutes, and prints what was asked and what went wrong.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MOST = {"steps": 50, "epochs": 5, "step": 50, "trials": 4, "seeds": 2, "side": 16, "replicas": 4}
"""More of it takes its time, and shows nothing more."""
QUICK = settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
THOROUGH = settings(QUICK, max_examples=25, derandomize=False)
ANSWER_SECONDS = 120


@dataclass(frozen=True)
class Subject:
    """Something that the server has, to be asked about."""

    id: str
    key: str | None = None


Subjects = Mapping[str, Subject]
"""By the beginning of its paths."""


def subjects(client: httpx.Client) -> dict[str, Subject]:
    """One of each kind, small."""
    config = {"data": {"kind": "circle", "samples": 60}, "hidden": [{"width": 2}]}

    def made(path: str, **body: Any) -> Subject:
        answer = client.post(path, json={"config": config, **body}).raise_for_status().json()
        return Subject(answer["id"], answer.get("key"))

    return {
        "/api/sessions/{id}": made("/api/sessions"),
        "/api/runs/{id}": made("/api/runs", steps=20),
        "/api/sweeps/{id}": made("/api/sweeps", trials=2, seeds=1, epochs=1),
        "/api/trainability/{id}": made("/api/trainability", side=16, steps=4),
    }


@dataclass
class Fuzzer:
    """Asks, and keeps count."""

    known: Subjects = field(default_factory=dict)
    settings: settings = QUICK
    seed: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    failed: Callable[[str, BaseException], None] | None = None
    """Is told of a failure, which is raised otherwise."""

    def check(self, operations: BaseSchema, until: float = float("inf")) -> None:
        """The answers to requests of every operation, valid ones and others."""
        for mode in GenerationMode:
            for result in operations.get_all_operations():
                assert isinstance(result, Ok), result
                if monotonic() < until:
                    self._check_operation(result.ok(), mode)

    def _check_operation(self, operation: APIOperation, mode: GenerationMode) -> None:
        name = f"{operation.method.upper()} {operation.path}"
        subject = next((s for path, s in self.known.items() if operation.path.startswith(path)), None)

        @seed(self.seed)
        @self.settings
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers(case: Case) -> None:
            if subject and "id" in case.path_parameters:
                case.path_parameters["id"] = subject.id
            case.body = _smaller(case.body)
            headers = {"Authorization": f"Bearer {subject.key}"} if subject and subject.key else {}
            self.asked[name] += 1
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=ANSWER_SECONDS)

        # There is no invalid request where nothing can be sent, and of some lists it now and then makes none.
        nothing = (Unsatisfiable, *([InvalidSchema] if mode is GenerationMode.NEGATIVE else []))
        try:
            answers()
        except nothing:
            pass
        except (Exception, BaseExceptionGroup) as error:
            if self.failed is None:
                raise
            self.failed(name, error)


def _told(error: BaseException) -> str:
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return "\n".join([str(error), *map(_told, inner)])


def _smaller(body: Any) -> Any:
    """The same request for less work."""
    if isinstance(body, dict):
        return {name: _less(name, value) for name, value in body.items()}
    return [_smaller(item) for item in body] if isinstance(body, list) else body


def _less(name: str, value: Any) -> Any:
    if name in MOST and isinstance(value, int | float) and not isinstance(value, bool):
        return min(value, MOST[name])
    return _smaller(value)


def everybody(
    document: BaseSchema, client: httpx.Client, fuzzer: Fuzzer, until: float = float("inf")
) -> None:
    """As a stranger, with the wrong key, and as the holder; deletions come last."""
    own = subjects(client)
    wrong = {path: Subject(subject.id, "no") for path, subject in own.items()}
    about = "|".join(path.replace("{", "\\{").replace("}", "\\}") for path in own)
    of_subjects = document.include(path_regex=f"^({about})")
    for known, operations in (
        ({}, document),
        (wrong, of_subjects),
        (own, of_subjects.exclude(method="DELETE")),
        (own, of_subjects.include(method="DELETE")),
    ):
        fuzzer.known = known
        fuzzer.check(operations, until)


def main(minutes: float) -> int:
    """Prints what was asked; the number of operations that failed."""
    from playground.training.compiled import loading
    from tests.conftest import _serve

    loading.load()  # so that no worker compiles it meanwhile
    failures: dict[str, str] = {}
    asked: Counter[str] = Counter()
    until = monotonic() + 60 * minutes
    with _serve(max_sessions=100_000, max_runs_waiting=100_000) as running:
        document = schemathesis.openapi.from_url(f"{running.address}/openapi.json")
        rounds = 0
        with httpx.Client(base_url=running.address, timeout=60) as client:
            while monotonic() < until:

                def note(name: str, error: BaseException) -> None:
                    failures.setdefault(name, _told(error))

                everybody(document, client, Fuzzer({}, THOROUGH, rounds, asked, note), until)
                rounds += 1
    operations = sum(len(methods) for methods in document.raw_schema["paths"].values())
    print(f"{sum(asked.values()):,} requests, {len(asked)} of {operations} operations, {rounds} rounds")  # noqa: T201
    for name, reason in failures.items():
        print(f"\n{name}\n{reason}")  # noqa: T201
    return len(failures)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else 10))
