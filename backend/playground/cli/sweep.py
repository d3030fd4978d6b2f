"""`playground sweep sweep.yaml`: many configs from a file, and the best of them."""

import json

import typer

from playground.cli.document import Document
from playground.cli.run import File, fields_of
from playground.cli.server import Address, AsJson, Keep, playground_at, refusals


def sweep(file: File, server: Address = None, keep: Keep = False, as_json: AsJson = False) -> None:
    """Try what a YAML file says: fields of a config, `space`, `trials`, `epochs`, `sampler`, `objective` …"""
    from playground.cli.progress import followed, ranking

    with refusals():
        document = Document(file)
    with refusals(document), playground_at(server, keep) as playground:
        config, fields = fields_of(document)
        sweep = playground.sweep(config, wait=False, **fields)
        info = followed(sweep, "trials", "done", "trials", as_json)
        typer.echo(json.dumps({**info, "tried": sweep.trials})) if as_json else ranking(info)
        if info["state"] != "done":
            raise typer.Exit(1)
