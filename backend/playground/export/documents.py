"""A run as JSON, and its weights as safetensors."""

import json
from typing import Any

from playground.export.network import state_dict
from playground.export.taken import Taken


def config(taken: Taken) -> bytes:
    """The config as it is now, which begins a new session."""
    return _json(taken.config.model_dump(mode="json"))


def timeline(taken: Taken) -> bytes:
    """The changes of the run, as `POST /api/sessions` takes them."""
    return _json([line.model_dump(mode="json") for line in taken.run.timeline])


def run(taken: Taken) -> bytes:
    """All that plays it again: `POST /api/sessions` takes it as it is."""
    return _json(
        {
            "config": taken.run.config.model_dump(mode="json"),
            "timeline": [line.model_dump(mode="json") for line in taken.run.timeline],
            "step": taken.step,
        }
    )


def safetensors(taken: Taken) -> bytes:
    """The weights by the names of the `state_dict` of the class in the PyTorch script."""
    from safetensors.numpy import save

    metadata = {"format": "pt", "config": json.dumps(taken.config.model_dump(mode="json"))}
    return save(state_dict(taken.layers, taken.weights), metadata=metadata)


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
