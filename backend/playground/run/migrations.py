"""Configs and changes of earlier versions, upgraded, so that old links and scripts work for ever."""

from collections.abc import Callable
from typing import Any

from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.run.config import VERSION


def upgraded(raw: dict[str, Any]) -> dict[str, Any]:
    """A config, or a merge patch of one, in the form of now and without its version.

    Without a `version` it is of the first. Raises ValidationFailed for a version that is not known.
    """
    version = 1 if raw.get("version") is None else raw["version"]
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValidationFailed(fault("version", say("rule.version", latest=VERSION)))
    current = {name: value for name, value in raw.items() if name != "version"}
    for earlier in range(version, VERSION):
        current = MIGRATIONS[earlier](current)
    return current


def with_defaults(raw: dict[str, Any]) -> dict[str, Any]:
    """A whole config that may leave fields out, with the defaults of its version where they are others now.

    In version 1 the learning rate of Adam and AdamW was 0.03.
    """
    if raw.get("version") not in (None, 1):
        return raw
    optimizer = raw.get("optimizer")
    optimizer = {"kind": "adam"} if optimizer is None else optimizer
    if isinstance(optimizer, dict) and optimizer.get("kind", "adam") in ("adam", "adamw"):
        raw = {**raw, "optimizer": {"lr": 0.03, **optimizer}}
    return raw


def _normalization_is_a_component(raw: dict[str, Any]) -> dict[str, Any]:
    """1 → 2: `"batchnorm": true` of a layer became `"normalization": {"kind": "batchnorm"}`."""
    hidden = raw.get("hidden")
    if not isinstance(hidden, list):
        return raw
    return {**raw, "hidden": [_with_normalization(layer, index) for index, layer in enumerate(hidden)]}


def _with_normalization(layer: Any, index: int) -> Any:
    if not isinstance(layer, dict) or "batchnorm" not in layer:
        return layer
    on = layer["batchnorm"]
    if not isinstance(on, bool):
        raise ValidationFailed(fault(f"hidden.{index}.batchnorm", say("rule.bool_type")))
    rest = {name: value for name, value in layer.items() if name != "batchnorm"}
    return {**rest, "normalization": {"kind": "batchnorm" if on else "none"}}


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _normalization_is_a_component}
"""What leads from a version to the next."""
