"""A server that is killed comes back with its sessions, and the page with it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.server import free_port, serving
from tests.e2e.test_curves import COLOURED
from tests.e2e.visitor import Visitor


def test_the_page_goes_on_with_its_curves(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    port, database = free_port(), str(tmp_path / "playground.db")
    with serving(port, database=database) as (address, server):
        visitor = arrive(address)
        visitor.server = address
        visitor.open().plays()
        visitor.waits_for_epoch(20)
        visitor.find("layer-1-remove").click()
        told = visitor.waits_until(lambda told: len(told["timeline"]) == 1 and told["epoch"] > 60)
        session = visitor.session
        os.kill(server, signal.SIGKILL)
        expect(visitor.find("status")).to_have_class(re.compile("lost|connecting"))
    with serving(port, database=database):
        expect(visitor.find("status")).not_to_have_class(re.compile("lost|connecting"), timeout=60_000)
        visitor.waits_for_epoch(told["epoch"] + 10)
        assert visitor.session == session
        assert visitor.told()["timeline"] == told["timeline"]
        visitor.pauses()
        visitor.page.wait_for_function(f"() => ({COLOURED})() > 30")
        visitor.find("undo").click()
        visitor.waits_until(lambda told: told["timeline"] == [])
