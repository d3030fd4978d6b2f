"""Uploaded tables, until nobody has used them for long."""

from collections import OrderedDict
from typing import Any

from playground import limits
from playground.catalogue.tables import Table


class Uploads:
    """At most `limits.TABLES`; the one unused for longest goes first. Sessions keep those that they use."""

    def __init__(self) -> None:
        self._tables: OrderedDict[str, Table] = OrderedDict()

    def put(self, table: Table) -> None:
        self._tables[table.id] = table
        self._tables.move_to_end(table.id)
        while len(self._tables) > limits.TABLES:
            self._tables.popitem(last=False)

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
