"""Configs as one writes them by hand: `data="spiral"`, `hidden=[8, 8]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

VERSION = 2
"""Of the configs that are written here."""

Config = Mapping[str, Any]
Timeline = Iterable[Mapping[str, Any] | tuple[int, Mapping[str, Any]]]


def written_out(config: Config | None, fields: Config) -> dict[str, Any]:
    """A config, or a change of one, in full: the fields win over what `config` says of them.

    No field of a config is a text, so a text is the kind of a component; a number in `hidden` is a width.
    """
    whole = {name: _component(value) for name, value in {**(config or {}), **fields}.items()}
    if isinstance(whole.get("hidden"), list | tuple):
        whole["hidden"] = [_layer(layer) for layer in whole["hidden"]]
    if "output" in whole:
        whole["output"] = _layer(whole["output"])
    return whole


def new_config(config: Config | None, fields: Config) -> dict[str, Any]:
    """A config to begin with, of the version of now unless it says another."""
    return {"version": VERSION, **written_out(config, fields)}


def script(timeline: Timeline) -> list[dict[str, Any]]:
    """Lines of a timeline; `(500, {…})` is a change at step 500."""
    return [_line(entry) for entry in timeline]


def _line(entry: Mapping[str, Any] | tuple[int, Mapping[str, Any]]) -> dict[str, Any]:
    line = dict(entry) if isinstance(entry, Mapping) else {"step": entry[0], "change": entry[1]}
    if isinstance(line.get("change"), Mapping):
        line["change"] = written_out(line["change"], {})
    return line


def _component(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _layer(layer: Any) -> Any:
    if isinstance(layer, int) and not isinstance(layer, bool):
        return {"width": layer}
    return {k: _component(v) for k, v in layer.items()} if isinstance(layer, Mapping) else layer
