"""What a config may consist of."""

import hashlib
from functools import cache

from fastapi import APIRouter, Request, Response

from playground.run.description import Catalogue, describe
from playground.web.routes.responses import shows

router = APIRouter(prefix="/api", tags=["catalogue"])


@cache
def _catalogue() -> tuple[bytes, str]:
    body = describe().model_dump_json(by_alias=True).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


@router.get(
    "/catalogue",
    response_description="The catalogue",
    response_model=Catalogue,
    responses={
        **shows({"components": {}, "fields": [], "default": {}, "limits": {}, "schema": {}}),
        304: {"description": "You have it already (`If-None-Match`)."},
    },
)
async def catalogue(request: Request) -> Response:
    """Every component with help, formula and parameters; fields, limits and JSON Schema of a config."""
    body, tag = _catalogue()
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
