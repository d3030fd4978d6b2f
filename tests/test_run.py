"""Configs, links and timelines of every version: what was made once opens for ever."""

import base64
import json
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from playground.errors import ValidationFailed
from playground.run.config import VERSION, Config
from playground.run.migrations import MIGRATIONS
from playground.run.patch import merged
from playground.run.run import Run, TimelineEntry
from playground.run.validation import parse
from playground.run.weights import OneWeight

LINKS = json.loads((Path(__file__).parent / "golden" / "links_v1.json").read_text())
"""Links as version 1 of the page made them, and their configs in version 2. What a config leaves out has the
default of today: of the learning rate, Adam's. The page's own links leave nothing out."""


def from_link(link: str) -> dict:
    packed = link.removeprefix("c=")
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), wbits=-15))


def says(config, expected) -> bool:
    """Whether it is the same in all that is expected; fields that came later have their defaults."""
    if isinstance(expected, dict):
        return all(name in config and says(config[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(config) == len(expected) and all(map(says, config, expected))
    return config == expected


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link["name"])
def test_a_link_of_version_1_opens_for_ever(link):
    assert from_link(link["link"]) == link["config"]
    for raw in (link["config"], link["config"] | {"version": 1}, link["opens"]):
        config = parse(raw).model_dump(mode="json")
        assert says(config, link["opens"])


def test_every_version_leads_to_the_next():
    assert list(MIGRATIONS) == list(range(1, VERSION))
    assert Config().version == VERSION


def test_a_change_of_version_1_is_upgraded_too():
    config = parse({"hidden": [{"width": 3}]})
    changed = parse(merged(config, {"hidden": [{"width": 3, "batchnorm": True}, {"batchnorm": False}]}))
    assert [layer.normalization.kind for layer in changed.hidden] == ["batchnorm", "none"]


@pytest.mark.parametrize("version", [0, 3, -1, "2", 1.5, True, [], {}])
def test_an_unknown_version_is_refused_by_its_field(version):
    for upgrade in (parse, lambda raw: merged(Config(), raw)):
        with pytest.raises(ValidationFailed) as failed:
            upgrade({"version": version})
        assert [error.field for error in failed.value.errors] == ["version"]


@pytest.mark.parametrize("batchnorm", [None, 1, "true"])
def test_a_layer_of_version_1_that_is_wrong_is_refused_by_its_field(batchnorm):
    with pytest.raises(ValidationFailed) as failed:
        parse({"hidden": [{}, {"batchnorm": batchnorm}]})
    assert [error.field for error in failed.value.errors] == ["hidden.1.batchnorm"]


def test_a_layer_of_version_2_has_no_batchnorm():
    with pytest.raises(ValidationFailed) as failed:
        parse({"version": 2, "hidden": [{"batchnorm": True}]})
    assert [error.field for error in failed.value.errors] == ["hidden.0.batchnorm"]


# Replay


def lines(*changes: tuple[int, dict]) -> tuple[TimelineEntry, ...]:
    return tuple(TimelineEntry(step=step, change=change) for step, change in changes)


TIMELINE = lines(
    (10, {"optimizer": {"lr": 0.1}}),
    (20, {"hidden": [{"width": 5}]}),
    (20, {"l2": 0.01}),
    (35, {"optimizer": {"kind": "sgd"}}),
)


def test_a_replay_follows_the_timeline_line_by_line():
    run = Run(parse({}), TIMELINE)
    followed = list(run.replay({}))
    assert [each.entry for each in followed] == list(TIMELINE)
    assert followed[0].before == run.config
    assert all(a.after == b.before for a, b in pairwise(followed))
    last = followed[-1].after
    assert (last.optimizer.kind, last.hidden[0].width, last.l2) == ("sgd", 5, 0.01)


@pytest.mark.parametrize(("until", "done"), [(0, 0), (9, 0), (10, 1), (20, 3), (34, 3), (35, 4), (None, 4)])
def test_a_replay_stops_after_the_lines_of_a_step(until, done):
    assert [each.entry for each in Run(parse({}), TIMELINE).replay({}, until)] == list(TIMELINE[:done])


def test_weights_set_by_hand_leave_the_config():
    entry = TimelineEntry(step=4, weights=OneWeight(layer=0, source=None, unit=0, value=1.0))
    run = Run(parse({})).followed_by(entry)
    [only] = run.replay({})
    assert only.entry is entry
    assert only.before is only.after is run.config


@pytest.mark.parametrize(
    ("faulty", "field"),
    [
        ((15, {"optimizer": {"lr": -1}}), "timeline.1.optimizer.lr"),
        ((15, {"colour": 1}), "timeline.1.colour"),
        ((15, {"version": 9}), "timeline.1.version"),
        ((5, {"l2": 0.1}), "timeline.1.step"),
    ],
)
def test_a_replay_names_the_line_that_does_not_fit(faulty, field):
    run = Run(parse({}), lines((10, {"l1": 0.1}), faulty))
    followed = run.replay({})
    assert next(followed).after.l1 == 0.1
    with pytest.raises(ValidationFailed) as failed:
        next(followed)
    assert [error.field for error in failed.value.errors] == [field]
