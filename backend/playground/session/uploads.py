"""Uploaded tables, until nobody has used them for long."""

from collections import OrderedDict
from http import HTTPStatus
from typing import Any

from playground import limits
from playground.catalogue.tables.table import Table
from playground.errors import Problem
from playground.i18n import say


class Uploads:
    """At most `limits.TABLES`; the one unused for longest goes first. Sessions keep those that they use."""

    def __init__(self) -> None:
        self._tables: OrderedDict[str, Table] = OrderedDict()

    def put(self, table: Table) -> None:
        self._tables[table.id] = table
        self._tables.move_to_end(table.id)
        while len(self._tables) > limits.TABLES:
            self._tables.popitem(last=False)

    def get(self, table_id: str) -> Table:
        """Raises `Problem` 404."""
        if table_id not in self._tables:
            raise Problem(HTTPStatus.NOT_FOUND, say("problem.no_table"))
        self._tables.move_to_end(table_id)
        return self._tables[table_id]

    def named_in(self, *patches: Any) -> dict[str, Table]:
        """The tables whose ids appear in these configs or changes of a config."""
        found = {}
        for patch in patches:
            data = patch.get("data") if isinstance(patch, dict) else None
            name = data.get("id") if isinstance(data, dict) else None
            if isinstance(name, str) and name in self._tables:
                self._tables.move_to_end(name)
                found[name] = self._tables[name]
        return found
