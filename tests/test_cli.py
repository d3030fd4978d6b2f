"""The command line: what it takes, what it says, what it refuses."""

import os
import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from playground import __version__, cli
from playground.settings import Settings
from playground.storage.store import Store
from playground.web import app
from playground.web.server import Server

OPTIONS = ("host", "port", "workers", "device", "database")


def run(*arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(cli.main, arguments, env={"COLUMNS": "300", **environment})


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of the servers that would have run."""
    made: list[Settings] = []
    monkeypatch.setattr(app, "create_app", lambda settings, store: made.append(settings) or FastAPI())
    monkeypatch.setattr(Store, "open", lambda self: None)
    monkeypatch.setattr(Server, "run", lambda self: None)
    return made


def test_it_tells_its_version() -> None:
    assert run("--version").stdout.strip() == __version__


@pytest.mark.parametrize("name", OPTIONS)
def test_the_help_has_what_the_settings_say(name: str) -> None:
    field, shown = Settings.model_fields[name], run("serve", "--help").stdout
    for text in (f"--{name}", field.description, f"PLAYGROUND_{name.upper()}", f"default: {field.default}"):
        assert str(text) in shown


def test_options_come_before_variables_and_these_before_defaults(served: list[Settings]) -> None:
    told = run("serve", "--port", "9001", PLAYGROUND_PORT="9002", PLAYGROUND_WORKERS="3")
    assert told.exit_code == 0, told.output
    assert (served[0].port, served[0].workers, served[0].device) == (9001, 3, "auto")


def test_by_itself_it_takes_a_worker_for_each_core_but_one(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("serve", "--device", "cpu").exit_code == 0
    for cores, workers in ((1, 1), (2, 1), (8, 7), (256, 64)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert served[0].worker_count == workers


def test_settings_that_are_no_options_are_variables(served: list[Settings]) -> None:
    assert run("serve", PLAYGROUND_MAX_SESSIONS="7").exit_code == 0
    assert served[0].max_sessions == 7


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--port", "70000"], {}, ["--port", "less than or equal to 65535"]),
        (["--port", "http"], {}, ["--port", "valid integer"]),
        (["--workers", "0"], {}, ["--workers", "greater than or equal to 1"]),
        (["--workers", "many"], {}, ["--workers", "integer"]),
        (["--device", "tpu"], {}, ["--device", "auto|cpu|cuda"]),
        (["--colour", "red"], {}, ["--colour"]),
        ([], {"PLAYGROUND_PORT": "-1"}, ["--port", "greater than or equal to 0"]),
        ([], {"PLAYGROUND_MAX_SESSIONS": "0"}, ["PLAYGROUND_MAX_SESSIONS", "greater than or equal to 1"]),
        ([], {"PLAYGROUND_ALLOWED_ORIGINS": "everyone"}, ["allowed_origins"]),
    ],
)
def test_a_refusal_names_the_option_and_the_rule(
    served: list[Settings], arguments: list[str], environment: dict[str, str], named: list[str]
) -> None:
    told = run("serve", *arguments, **environment)
    assert told.exit_code == 2
    assert not served
    assert all(text in told.stderr for text in named), told.stderr


def test_shells_complete_options() -> None:
    words = {
        "_PLAYGROUND_COMPLETE": "complete_bash",
        "COMP_WORDS": "playground serve --po",
        "COMP_CWORD": "2",
    }
    program = "import sys; from playground.cli import main; sys.argv = ['playground']; main()"
    told = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | words, capture_output=True, text=True, check=False
    )
    assert told.stdout.split() == ["--port"], told.stderr


def test_help_does_not_wait_for_pytorch() -> None:
    program = "import sys, playground.cli; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
