"""Data of one's own, and a look at any."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Body, File, Form, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from playground.catalogue import tables
from playground.messages.events import TaskDescription
from playground.run.validation import parse
from playground.web.routes.dependencies import TheRegistry
from playground.web.routes.responses import BODY
from playground.web.routes.shape import Shape

PREVIEW_POINTS = 300
PREVIEW_ROWS = 8
UPLOAD_EXAMPLE = {"file": "width,length,species\n3.5,1.4,setosa\n3.2,4.7,versicolor\n", "target": "species"}


class PreviewRequest(Shape):
    """A data set to look at."""

    data: dict[str, Any] = Field(examples=[{"kind": "circle", "noise": 0.1}])
    """As in a config."""
    seed: int = Field(default=0, examples=[0])
    """The seed of the config that it would be part of."""


class Preview(Shape):
    """Points of a data set, as many as are worth showing."""

    task: TaskDescription
    """What there would be to learn."""
    train: list[list[float]] = Field(examples=[[[1.2, -0.4, 1]]])
    """[x1, x2, target] of training points."""
    test: list[list[float]] = Field(examples=[[[4.1, 0.7, 0]]])
    """[x1, x2, target] of test points."""


class TableColumn(Shape):
    """A column of an uploaded table."""

    name: str = Field(examples=["species"])
    """As the first line names it."""
    kind: Literal["number", "label"] = Field(examples=["label"])
    """What stands in it."""
    labels: list[str] = Field(examples=[["setosa", "versicolor"]])
    """Its different labels; none where it holds numbers."""


class UploadedTable(Shape):
    """A table that configs can name from now on."""

    id: str = Field(examples=["5d41402abc4b2a76"])
    """Goes into `{"kind": "csv", "id": …}`. The same file has the same id."""
    columns: list[TableColumn]
    """In the order of the file."""
    rows: int = Field(examples=[150])
    """Rows to learn from."""
    dropped: int = Field(examples=[0])
    """Rows left out because a value is missing."""
    task: Literal["binary", "multiclass", "regression"] = Field(examples=["multiclass"])
    """What there is to learn with the columns in `chosen`."""
    classes: int = Field(examples=[3])
    """Number of classes; 0 for a regression."""
    chosen: dict[str, Any] = Field(
        examples=[{"x1": "width", "x2": "length", "target": "species", "inputs": []}]
    )
    """The columns that are taken, as you named them or guessed."""
    preview: list[list[Any]] = Field(examples=[[[3.5, 1.4, "setosa"]]])
    """The first rows."""


router = APIRouter(prefix="/api", tags=["data"])


@router.post(
    "/preview",
    response_description="Some of its points",
    responses=BODY,
)
async def preview(
    registry: TheRegistry,
    wish: Annotated[
        PreviewRequest, Body(openapi_examples={"circle": {"value": {"data": {"kind": "circle"}, "seed": 0}}})
    ],
) -> Preview:
    """Points of a data set, without a session."""
    raw = {"data": wish.data, "seed": wish.seed}
    found = registry.uploads.named_in(raw)
    dataset = await run_in_threadpool(lambda: parse(raw, found).data.split(wish.seed, found))
    return Preview(
        task=TaskDescription.of(dataset),
        train=_points(dataset.train_inputs, dataset.train_targets),
        test=_points(dataset.test_inputs, dataset.test_targets),
    )


def _points(inputs: np.ndarray, targets: np.ndarray) -> list[list[float]]:
    shown = np.column_stack([inputs[:PREVIEW_POINTS, :2], targets[:PREVIEW_POINTS]])
    return np.round(shown.astype(float), 4).tolist()


@router.post(
    "/datasets",
    status_code=201,
    response_description="What is in it",
    responses=BODY,
    openapi_extra={"requestBody": {"content": {"multipart/form-data": {"example": UPLOAD_EXAMPLE}}}},
)
async def upload(
    registry: TheRegistry,
    file: Annotated[
        UploadFile, File(description="A CSV file of at most 5 MB; `,`, `;` or tab between columns")
    ],
    header: Annotated[
        bool | None,
        Form(description="Whether the first line names the columns; guessed if left out", examples=[True]),
    ] = None,
    target: Annotated[
        str | None,
        Form(description="Name of the column to predict; guessed if left out", examples=["species"]),
    ] = None,
    x1: Annotated[str | None, Form(description="Name of the first input", examples=["width"])] = None,
    x2: Annotated[str | None, Form(description="Name of the second input", examples=["length"])] = None,
) -> UploadedTable:
    """Upload a CSV; then use it with `{"kind": "csv", "id": …}` as the `data` of a config."""
    content = await file.read()
    table = await run_in_threadpool(tables.read_csv, content, file.filename or "data.csv", header, target)
    chosen = tables.guess_target(table, x1=x1, x2=x2, target=target)
    data = {"kind": "csv", "id": table.id, "x1": chosen.x1, "x2": chosen.x2, "target": chosen.target}
    task = parse({"data": data}, {table.id: table}).data.task({table.id: table})
    registry.uploads.put(table)
    return UploadedTable(
        id=table.id,
        columns=[TableColumn(name=c.name, kind=c.kind, labels=list(c.labels)) for c in table.columns],
        rows=table.rows,
        dropped=table.dropped,
        task=task.kind,
        classes=task.classes,
        chosen=chosen._asdict(),
        preview=tables.preview(table, PREVIEW_ROWS),
    )
