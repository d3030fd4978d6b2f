"""The formats that a run can be taken home in."""

from collections.abc import Callable
from dataclasses import dataclass

from playground.export import curves, documents
from playground.export.keras_script import keras_script
from playground.export.notebook import notebook
from playground.export.onnx_graph import onnx_model
from playground.export.pytorch import script
from playground.export.taken import Taken


@dataclass(frozen=True)
class Format:
    """`write` raises `CannotExport` for what the format cannot say."""

    write: Callable[[Taken], bytes]
    ending: str
    """Of the name of the file."""
    media_type: str


JSON, CSV, BYTES = "application/json", "text/csv", "application/octet-stream"
FORMATS: dict[str, Format] = {
    "pytorch": Format(script, ".py", "text/x-python"),
    "notebook": Format(notebook, ".ipynb", "application/x-ipynb+json"),
    "keras": Format(keras_script, "-keras.py", "text/x-python"),
    "safetensors": Format(documents.safetensors, ".safetensors", BYTES),
    "onnx": Format(onnx_model, ".onnx", BYTES),
    "history.csv": Format(curves.history_csv, "-history.csv", CSV),
    "tensorboard": Format(curves.tensorboard, ".tfevents", BYTES),
    "data.csv": Format(curves.data_csv, "-data.csv", CSV),
    "config": Format(documents.config, "-config.json", JSON),
    "timeline": Format(documents.timeline, "-timeline.json", JSON),
    "run": Format(documents.run, "-run.json", JSON),
}
