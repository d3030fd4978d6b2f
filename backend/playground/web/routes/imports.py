"""Experiments of another page."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field

from playground.i18n import Text
from playground.run.config import Config
from playground.run.tensorflow_playground import imported
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
