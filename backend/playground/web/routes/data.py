"""Data of one's own, and a look at any."""

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Body, File, Form, Path, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from playground.catalogue.datasets import Picture
from playground.catalogue.tables.images import address, is_image, read_image
from playground.catalogue.tables.reading import read_table
from playground.catalogue.tables.roles import choose, suitable_targets
from playground.catalogue.tables.table import Column, Table
from playground.catalogue.tables.table import preview as first_rows
from playground.i18n import Text
from playground.messages.events import TaskDescription
from playground.run.validation import parse
from playground.web.routes.dependencies import TheRegistry
from playground.web.routes.responses import BODY, MISSING
from playground.web.routes.shape import Shape

PREVIEW_POINTS = 300
PREVIEW_ROWS = 8
SHOWN_LABELS = 20
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
    """[x1, x2, target] of training points, [x1, x2, red, green, blue] of pixels. Of one input, x2 is 0."""
    test: list[list[float]] = Field(examples=[[[4.1, 0.7, 0]]])
    """[x1, x2, target] of test points. Of one input only, x2 is 0."""
    points: int = Field(examples=[500])
    """How many there are, train and test together."""
    picture: str | None = Field(examples=[None])
    """What the points are the pixels of: a PNG, as the address of an image (`data:image/png;base64,…`)."""


class TableColumn(Shape):
    """A column of an uploaded table."""

    name: str = Field(examples=["species"])
    """As the first line names it."""
    kind: Literal["number", "label"] = Field(examples=["label"])
    """What stands in it."""
    labels: list[str] = Field(examples=[["setosa", "versicolor"]])
    """Its different labels, the first 20; none where it holds numbers."""
    missing: int = Field(examples=[0])
    """Rows that have no value in it."""
    slip: Text | None = Field(examples=[None])
    """What is wrong with a cell of it, where it cannot be learned from."""


class TableDescription(Shape):
    """A table that configs can name."""

    id: str = Field(examples=["5d41402abc4b2a76"])
    """Goes into `{"kind": "csv", "id": …}`. The same file has the same id."""
    file: str = Field(examples=["flowers.csv"])
    """Name of the file."""
    header: bool = Field(examples=[True])
    """Whether its first row names the columns."""
    sheets: list[str] = Field(examples=[[]])
    """The sheets of a workbook; empty for other files."""
    sheet: str | None = Field(examples=[None])
    """The sheet that this is."""
    columns: list[TableColumn]
    """In the order of the file."""
    targets: list[str] = Field(examples=[["species"]])
    """Columns that can be predicted, the likeliest first."""
    rows: int = Field(examples=[150])
    """Rows of the file, whether values are missing or not."""
    picture: tuple[int, int] | None = Field(examples=[None])
    """Width and height of an image, which goes into `{"kind": "image", "id": …}`; null for a table."""
    preview: list[list[Any]] = Field(examples=[[[3.5, 1.4, "setosa"]]])
    """The first rows; null where a value is missing."""


class UploadedTable(TableDescription):
    """A table that configs can name from now on, and what would be learned from it."""

    dropped: int = Field(examples=[0])
    """Rows left out because a value is missing in a column of `chosen`."""
    task: Literal["binary", "multiclass", "regression"] = Field(examples=["multiclass"])
    """What there is to learn with the columns in `chosen`."""
    classes: int = Field(examples=[3])
    """Number of classes; 0 for a regression."""
    chosen: dict[str, Any] = Field(
        examples=[{"x1": "width", "x2": "length", "target": "species", "inputs": []}]
    )
    """The columns that are taken, as you named them or guessed; an empty x2 where x1 is the only input."""


def _described(table: Table) -> dict[str, Any]:
    return {
        "id": table.id,
        "file": table.file,
        "header": table.header,
        "sheets": list(table.sheets),
        "sheet": table.sheet,
        "columns": [_column(column) for column in table.columns],
        "targets": suitable_targets(table),
        "rows": table.rows,
        "picture": table.picture,
        "preview": first_rows(table, PREVIEW_ROWS),
    }


def _column(column: Column) -> TableColumn:
    return TableColumn(
        name=column.name,
        kind=column.kind,
        labels=list(column.labels[:SHOWN_LABELS]),
        missing=int((~column.present).sum()),
        slip=column.slip,
    )


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
    data = await run_in_threadpool(lambda: parse(raw, found).data)
    dataset = await run_in_threadpool(data.split, wish.seed, found)
    return Preview(
        task=TaskDescription.of(dataset),
        train=_points(dataset.train_inputs, dataset.train_targets),
        test=_points(dataset.test_inputs, dataset.test_targets),
        points=len(dataset.train_inputs) + len(dataset.test_inputs),
        picture=address(data.seen(found)) if isinstance(data, Picture) else None,
    )


def _points(inputs: np.ndarray, targets: np.ndarray) -> list[list[float]]:
    plane = np.zeros((min(len(inputs), PREVIEW_POINTS), 2))
    plane[:, : inputs.shape[1]] = inputs[:PREVIEW_POINTS, :2]
    shown = np.column_stack([plane, targets[:PREVIEW_POINTS]])
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
        UploadFile,
        File(
            description="A file of at most 5 MB: CSV with `,`, `;` or tab between columns, or .xlsx; or an"
            " image of at most 1 MB, PNG or JPEG"
        ),
    ],
    header: Annotated[
        bool | None,
        Form(description="Whether the first row names the columns; guessed if left out", examples=[True]),
    ] = None,
    sheet: Annotated[
        str | None, Form(description="Sheet of a workbook; the first if left out", examples=["Sheet1"])
    ] = None,
    target: Annotated[
        str | None,
        Form(description="Name of the column to predict; guessed if left out", examples=["species"]),
    ] = None,
    x1: Annotated[str | None, Form(description="Name of the first input", examples=["width"])] = None,
    x2: Annotated[str | None, Form(description="Name of the second input", examples=["length"])] = None,
) -> UploadedTable:
    """Upload a CSV or a workbook; then use it with `{"kind": "csv", "id": …}` as the `data` of a config.

    An image, scaled to fit 64 × 64 pixels, is used with `{"kind": "image", "id": …}`.

    Of a table, all rows are kept. Which of them are learned from depends on the columns of the config: those
    that have a value in each.
    """
    content = await file.read()
    chosen: dict[str, Any] = {}
    if is_image(content):
        table = await run_in_threadpool(read_image, content, file.filename or "image")
    else:
        table = await run_in_threadpool(read_table, content, file.filename or "data.csv", header, sheet)
        chosen = choose(table, x1=x1, x2=x2, target=target)._asdict()
    data = {"kind": "image" if table.picture else "csv", "id": table.id, **chosen}
    dataset = parse({"data": data}, {table.id: table}).data.split(0, {table.id: table})
    registry.uploads.put(table)
    return UploadedTable(
        **_described(table),
        dropped=table.rows - len(dataset.train_inputs) - len(dataset.test_inputs),
        task=dataset.task.answer,
        classes=dataset.task.classes,
        chosen=chosen,
    )


@router.get("/datasets/{id}", response_description="What is in it", responses=MISSING)
async def described(
    registry: TheRegistry,
    table_id: Annotated[
        str, Path(alias="id", description="Of an uploaded table", examples=["5d41402abc4b2a76"])
    ],
) -> TableDescription:
    """A table that was uploaded, as long as the server keeps it."""
    return TableDescription(**_described(registry.uploads.get(table_id)))
