"""The page: its shell, rendered by Jinja, and the files that Vite has built."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from playground.i18n import english

HERE = Path(__file__).parent
STATIC = HERE / "static"
MISSING = """<!doctype html><title>Neural network playground</title>
<p>The page has not been built yet: <code>make run</code> builds it.</p>
<p>The REST API is described <a href="docs">here</a>.</p>
"""

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(HERE / "templates")


class BuiltFiles(StaticFiles):
    """Vite puts a hash of the content into the names below `assets`: those never change."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        hashed = "/assets/" in str(args[0])
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


@router.get("/")
@router.get("/embed")
async def shell(request: Request) -> Response:
    """The page; `/embed` is the same page for an iframe."""
    entry = _entry()
    if entry is None:
        return HTMLResponse(MISSING, status_code=503)
    context = {
        "words": english(),
        "root_path": request.scope.get("root_path", ""),
        "script": entry["file"],
        "styles": entry.get("css", []),
        "embed": request.url.path.endswith("/embed"),
    }
    return templates.TemplateResponse(request, "index.html", context, headers={"Cache-Control": "no-cache"})


def _entry() -> dict[str, Any] | None:
    """What the page is made of, by Vite's manifest; read each time, so a new build needs no restart."""
    try:
        manifest = json.loads((STATIC / ".vite" / "manifest.json").read_text())
    except FileNotFoundError:
        return None
    return next((chunk for chunk in manifest.values() if chunk.get("isEntry")), None)
