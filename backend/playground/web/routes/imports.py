"""Experiments of another page, and networks of other programs."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, File, Form, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from playground.errors import ValidationFailed, fault
from playground.export.models.keras_file import read_keras
from playground.export.models.network import Opened, opened, refused
from playground.export.models.onnx_model import read_onnx
from playground.export.models.safetensors_file import read_safetensors
from playground.i18n import Text, say
from playground.run.config import Config
from playground.run.run import TimelineEntry
from playground.run.tensorflow_playground import imported
from playground.run.validation import Tables
from playground.run.weights import AllWeights
from playground.web.routes.dependencies import TheRegistry
from playground.web.routes.responses import BODY
from playground.web.routes.sessions import EXAMPLE_CONFIG
from playground.web.routes.shape import Shape

EXAMPLE_LINK = (
    "https://playground.tensorflow.org/#activation=tanh&dataset=circle&networkShape=4,2&seed=0.12345"
)
LINK_LENGTH = 10_000

router = APIRouter(prefix="/api", tags=["catalogue"])


class LinkToImport(Shape):
    """A link of TensorFlow Playground."""

    link: str = Field(max_length=LINK_LENGTH, examples=[EXAMPLE_LINK])
    """All of it, or what is behind its "#"."""


class ImportedExperiment(Shape):
    """The experiment of the link, to begin a session with, and how it wants to be looked at."""

    config: Config = Field(examples=[EXAMPLE_CONFIG])
    """The same points, initial weights and mini-batches."""
    notes: list[Text] = Field(examples=[[]])
    """What of the link means something else here, or nothing."""
    hide: list[str] = Field(examples=[["l1", "l2"]])
    """Controls that it hides, as `?hide=` of the page takes them."""
    show_test: bool = Field(examples=[False])
    """Whether it shows the test points."""
    discretise: bool = Field(examples=[False])
    """Whether it shows classes in place of shades."""


@router.post("/import", response_description="The experiment of the link", responses=BODY)
async def import_link(
    wish: Annotated[LinkToImport, Body(openapi_examples={"circle": {"value": {"link": EXAMPLE_LINK}}})],
) -> ImportedExperiment:
    """Read a link of TensorFlow Playground as that page does."""
    found = imported(wish.link)
    return ImportedExperiment(
        config=found.config,
        notes=list(found.notes),
        hide=list(found.hide),
        show_test=found.show_test,
        discretise=found.discretise,
    )


class ImportedModel(Shape):
    """A network of a file: `POST /api/sessions` takes this as it is, and answers as the file would."""

    config: Config = Field(examples=[EXAMPLE_CONFIG])
    """The network, with data and training of the config that was sent along, as far as they fit."""
    timeline: list[TimelineEntry] = Field(examples=[[]])
    """A line that sets its weights at once."""


@router.post(
    "/import/model",
    response_description="What begins a session with it",
    responses=BODY,
    openapi_extra={"requestBody": {"content": {"multipart/form-data": {"example": {"file": "…"}}}}},
)
async def import_model(
    registry: TheRegistry,
    file: Annotated[UploadFile, File(description="A .safetensors, .keras or .onnx file of at most 8 MiB")],
    config: Annotated[
        str,
        Form(description="The config to take data and training from, as JSON", examples=["{}"]),
    ] = "{}",
) -> ImportedModel:
    """Read a network of Dense, BatchNorm, Dropout and activations that are here, too.

    Anything else is refused by its name. Nothing in the file is executed.
    """
    try:
        beside = json.loads(config)
    except (ValueError, RecursionError):
        beside = None
    if not isinstance(beside, dict):
        raise ValidationFailed(fault("config", say("rule.body_is_json", error="config")))
    content = await file.read()
    tables = registry.uploads.named_in(beside)
    found = await run_in_threadpool(_read, file.filename or "", content, beside, tables)
    weights = AllWeights.model_validate({"layers": found.weights})
    entry = TimelineEntry(step=0, weights=weights, label=[say("label.weights")])
    return ImportedModel(config=found.config, timeline=[entry])


def _read(name: str, content: bytes, beside: Mapping[str, Any], tables: Tables) -> Opened:
    match name.lower().rpartition(".")[2]:
        case "safetensors":
            return read_safetensors(content, beside, tables)
        case "keras":
            return opened(read_keras(content), beside, tables)
        case "onnx":
            return opened(read_onnx(content), beside, tables)
        case _:
            raise refused(say("import.unknown"))
