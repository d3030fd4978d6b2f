"""What a network is made of, layer by layer, as JSON and as a table."""

from collections.abc import Callable

import httpx
import pytest

from playground.catalogue.component import Task
from playground.run.summary import summary
from playground.run.validation import parse
from playground.training.network import Network
from tests.guest import Guest

BATCHNORM = {"kind": "batchnorm"}
TWENTY = tuple(f"x{index}" for index in range(1, 21))


def counts(features: tuple[str, ...], hidden: list[dict]) -> tuple[int, int, int]:
    """In all, trainable, not trainable."""
    config = parse({"hidden": hidden}).model_copy(update={"features": features})
    found = summary(config, Task("binary", 2))
    for name in ("parameters", "trainable", "not_trainable"):
        assert sum(getattr(layer, name) for layer in found.layers) == getattr(found, name)
    return found.parameters, found.trainable, found.not_trainable


def test_a_small_network() -> None:
    assert counts(("x1", "x2"), [{"width": 2}]) == (9, 9, 0)


def test_running_statistics_are_not_trained() -> None:
    hidden = [{"width": width, "normalization": BATCHNORM} for width in (64, 32)]
    assert counts(TWENTY, hidden) == (3841, 3649, 192)


def test_a_wide_network() -> None:
    assert counts((*TWENTY, *(f"{name}^2" for name in TWENTY[:12])), [{"width": 128}, {"width": 64}]) == (
        12_545,
        12_545,
        0,
    )


@pytest.mark.parametrize(
    "raw",
    [{}, {"hidden": [{"width": 5, "normalization": BATCHNORM}]}, {"data": {"kind": "blobs", "classes": 4}}],
)
def test_it_counts_what_is_trained(raw: dict) -> None:
    config = parse(raw)
    task = config.data.task({})
    found, network = summary(config, task), Network.of(config, task)
    assert (found.trainable, found.not_trainable) == (network.size, network.buffer_size)
    assert [layer.output[-1] for layer in found.layers] == [layer.width for layer in network.layers]


def test_a_session_tells_it_and_follows_its_changes(
    client: httpx.Client, new_session: Callable[..., Guest]
) -> None:
    guest = new_session({"hidden": [{"width": 3, "normalization": BATCHNORM, "dropout": 0.2}]})
    guest.do("PATCH", "/config", {"data": {"kind": "blobs", "classes": 3}, "loss": {"kind": "cross_entropy"}})
    found = guest.do("GET", "/summary")
    first, output = found["layers"]
    assert (first["inputs"], first["output"], first["dropout"]) == (2, [None, 3], 0.2)
    assert [part["text"] for part in first["made_of"]] == ["Batch normalisation", "Tanh"]
    assert (first["parameters"], first["trainable"], first["not_trainable"]) == (21, 15, 6)
    assert (output["inputs"], output["output"], output["parameters"]) == (3, [None, 3], 12)
    assert found["parameters"] == 33


def test_it_is_a_table_as_text(client: httpx.Client, new_session: Callable[..., Guest]) -> None:
    guest = new_session({"hidden": [{"width": 2}]})
    answer = client.get(f"/api/sessions/{guest.id}/summary", headers={"Accept": "text/plain"})
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert [line.split() for line in (lines[0], lines[2], lines[3], lines[-1])] == [
        *(["Layer", "Made", "of", "Output", "shape", "Parameters", "Trainable", "Not", "trainable"],),
        *(["Hidden", "1", "Tanh", "(batch,", "2)", "6", "6", "0"],),
        *(["Output", "Linear", "(batch,", "1)", "3", "3", "0"],),
        *(["Total", "9", "9", "0"],),
    ]
    assert len({len(line) for line in lines}) == 1
