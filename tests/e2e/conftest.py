"""A real browser in front of the real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Running
from tests.e2e import browser
from tests.e2e.server import Line
from tests.e2e.visitor import Visitor

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Last, since they are the slowest, and since Playwright's event loop stays once it has started.
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = {"executable_path": path} if (path := browser.on_path()) else {}
    return {**browser_type_launch_args, **found, "args": browser.ARGUMENTS}


@pytest.fixture(scope="session")
def server(running: Running) -> str:
    """The address of one that runs."""
    return running.address


@pytest.fixture
def line(server: str) -> Iterator[Line]:
    line = Line(int(server.rsplit(":", 1)[1]))
    yield line
    line.close()


@pytest.fixture
def arrive(new_context: Callable[..., Any], server: str) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors, each with a browser profile of their own; their sessions end with the test.

    A page that threw an error fails the test.
    """
    visitors: list[Visitor] = []

    def make(address: str = server, **profile: Any) -> Visitor:
        context = new_context(**{"viewport": {"width": 1440, "height": 900}, **profile})
        visitor = Visitor(context.new_page(), address, server)
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        visitor.leaves()
    assert [error for visitor in visitors for error in visitor.errors] == []


@pytest.fixture
def visitor(arrive: Callable[..., Visitor]) -> Visitor:
    """A visitor at the open page."""
    return arrive().open()
