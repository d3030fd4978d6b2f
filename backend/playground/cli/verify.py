"""`playground verify`: a run is replayed and its weights are compared, without a server."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

if TYPE_CHECKING:
    from playground.run.run_file import RunFile
    from playground.studies.runs.verification import Verdict

from playground import __version__

CONFIRMED, DIFFERS, UNDECIDED = 0, 1, 2


def verify(
    file: Annotated[Path, typer.Argument(help="What a run or a session gave as `…/file`.", dir_okay=False)],
    data: Annotated[
        list[Path] | None, typer.Option(help="A file that the run learns from, if it learns from one.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to replay it: `auto`, `cpu` or `cuda`.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Replay a run and compare its weights with those in the file, bit for bit.

    Ends with 0 if all agree, with 1 if they differ, and with 2 if it cannot be told: the file is none, its
    data are missing, or another kind of device made it, which may round differently.
    """
    from playground.studies.runs.verification import verify as replayed

    run = _read(file)
    tables = _tables(run, data or [])
    try:
        verdict = asyncio.run(replayed(run, tables, device))
    except (ValueError, ValidationError) as error:  # a config or a line that is none
        raise _undecided(f"{file} cannot be replayed: {error}") from error
    code = _code(verdict)
    typer.echo(json.dumps(_said(verdict, code)) if as_json else "\n".join(_lines(verdict)))
    raise typer.Exit(code)


def _read(file: Path) -> "RunFile":
    from playground import limits
    from playground.run.run_file import RunFile

    try:
        with file.open("rb") as source:
            return RunFile.model_validate_json(source.read(limits.RUN_FILE_BYTES))
    except OSError as error:
        raise _undecided(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise _undecided(f"{file} is no file of a run: {place}: {first['msg']}") from error


def _tables(run: "RunFile", files: list[Path]) -> dict[str, Any]:
    """What the run learns from, by its id; whichever of the files it is."""
    from playground.catalogue.tables.images import is_image, read_image
    from playground.catalogue.tables.reading import read_table

    tables = {}
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise _undecided(f"{file} cannot be read: {error.strerror}") from error
        if is_image(content):
            found = [read_image(content, file.name)]
        else:  # whoever uploaded it may have said whether it has a header
            found = [read_table(content, file.name, header) for header in (None, True, False)]
        tables |= {table.id: table for table in found}
    named = [patch.get("data") for patch in (run.config, *(line.get("change", {}) for line in run.timeline))]
    needed = {part["id"] for part in named if isinstance(part, dict) and part.get("id")}
    if missing := sorted(needed - set(tables)):
        raise _undecided(
            f"This run learns from a file of its own, {', '.join(missing)}: give it with --data."
        )
    return tables


def _undecided(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(UNDECIDED)


def _code(verdict: "Verdict") -> int:
    if verdict.confirmed:
        return CONFIRMED
    return DIFFERS if verdict.same_maker else UNDECIDED


def _lines(verdict: "Verdict") -> list[str]:
    """For people: what was compared, and what came of it."""
    file, marks = verdict.file, len(verdict.file.marks)
    name = f"“{file.name}”: " if file.name else ""
    lines = [f"{name}{file.steps:,} steps, {len(file.timeline)} changes, {marks} marks"]
    if verdict.error:
        lines.append(f"The replay ended at step {verdict.steps:,}: {verdict.error}")
    if verdict.differs:
        lines.append(_difference(verdict, verdict.differs))
    elif not verdict.error:
        lines.append(f"Confirmed: the weights are the same, bit for bit, at {marks} of {marks} marks.")
    if verdict.differs and not verdict.same_maker:
        lines += _other_maker(verdict)
    return lines


def _difference(verdict: "Verdict", mark: Any) -> str:
    after = (
        f"after the mark at step {verdict.agreed[-1].step:,}" if verdict.agreed else "from the first mark on"
    )
    return (
        f"Different: the weights at step {mark.step:,} are not those in the file, {after}"
        f" ({len(verdict.agreed)} of {len(verdict.file.marks)} marks agree)."
    )


def _other_maker(verdict: "Verdict") -> list[str]:
    made, here = verdict.file.made_on, verdict.here
    by = f"{made.device}, {made.trainer} trainer" if made else "an unknown device"
    ours = {name: verdict.metrics.get(name) for name in verdict.file.metrics if name.endswith("_loss")}
    losses = ", ".join(
        f"{name} {verdict.file.metrics[name]} there and {loss} here" for name, loss in ours.items()
    )
    alike = (
        "The losses at the end are nearly the same" if verdict.near else "The losses at the end differ, too"
    )
    return [
        f"It was made by something that may round differently: {by}, version {verdict.file.made_by};"
        f" here it is {here.device}, {here.trainer} trainer, version {__version__}."
        " So this does not tell whether the file is right.",
        f"{alike}: {losses}." if losses else "",
    ]


def _said(verdict: "Verdict", code: int) -> dict[str, Any]:
    """For programs."""
    made_on = verdict.file.made_on
    return {
        "verdict": ("confirmed", "different", "undecided")[code],
        "steps": verdict.steps,
        "marks": len(verdict.file.marks),
        "agreed": len(verdict.agreed),
        "differs_at": verdict.differs and verdict.differs.step,
        "error": verdict.error or None,
        "made_on": made_on and made_on.model_dump(),
        "here": verdict.here.model_dump(),
        "metrics": verdict.metrics,
    }
