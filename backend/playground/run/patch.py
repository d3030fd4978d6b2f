"""Merge patches of a config (RFC 7396), and their inverses."""

from typing import Any

from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.run.config import Config
from playground.run.migrations import upgraded


def merged(config: Config, change: Any) -> dict[str, Any]:
    """What a merge patch (RFC 7396) makes of a config, still to be parsed.

    A component whose kind changes is replaced: its parameters mean nothing to another kind.
    """
    if not isinstance(change, dict):
        raise ValidationFailed(fault("", say("rule.change_is_object")))
    return merge(config.model_dump(mode="json"), upgraded(change))


def inverse(before: Config, after: Config) -> dict[str, Any]:
    """The merge patch that leads from `after` back to `before`."""
    return _difference(after.model_dump(mode="json"), before.model_dump(mode="json"))


def merge(target: Any, patch: Any) -> Any:
    """`target` as a patch leaves it; null takes a field away."""
    if not isinstance(patch, dict):
        return patch
    replaced = not isinstance(target, dict) or ("kind" in patch and patch["kind"] != target.get("kind"))
    result = {} if replaced else dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _difference(here: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {key: None for key in here if key not in there}
    for key, value in there.items():
        old = here.get(key)
        if old == value:
            continue
        if isinstance(old, dict) and isinstance(value, dict) and old.get("kind") == value.get("kind"):
            patch[key] = _difference(old, value)
        else:
            patch[key] = value
    return patch
