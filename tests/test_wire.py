"""What crosses the wire: binary messages, and the closed unions of commands."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from playground.errors import ValidationFailed, fault, problem_of
from playground.i18n import say
from playground.messages import commands, worker
from playground.messages.codec import DTYPES, Assembler, decode, encode, prefixed
from playground.messages.commands import Speed, read_message, sent_id
from playground.run.selection import Selection, Size
from tests.golden import write

GOLDEN = Path(__file__).parent / "golden"

any_array = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=5))
)


@given(
    header=st.dictionaries(
        st.text(max_size=8).filter(lambda k: k != "arrays"), st.integers() | st.text() | st.none()
    ),
    arrays=st.dictionaries(st.text(max_size=8), any_array, max_size=4),
)
def test_a_message_says_what_was_put_in(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    read_header, read_arrays = decode(encode(header, arrays))
    assert read_header == header
    assert list(read_arrays) == list(arrays)
    for name, array in arrays.items():
        assert read_arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(read_arrays[name], array)


@given(st.dictionaries(st.text(max_size=8), any_array, max_size=4))
def test_every_array_can_be_viewed_without_a_copy(arrays: dict[str, np.ndarray]) -> None:
    message = encode({}, arrays)
    (length,) = np.frombuffer(message, "<u4", 1, 4)
    assert (8 + length) % 8 == 0
    listing = json.loads(message[8 : 8 + int(length)])["arrays"]
    assert all(entry["offset"] % 8 == 0 for entry in listing)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_header_never_holds_what_json_does_not_have(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"loss": value})


def test_a_dtype_that_browsers_lack_is_refused() -> None:
    with pytest.raises(ValueError, match="float16"):
        encode({}, {"half": np.zeros(2, np.float16)})


@pytest.mark.parametrize("message", [b"", b"NNPG", b"PNG\0\0\0\0\0", b"{}"])
def test_other_bytes_are_not_taken_for_a_message(message: bytes) -> None:
    with pytest.raises(ValueError, match="not a binary message"):
        decode(message)


@pytest.mark.parametrize("name", write.MESSAGES)
def test_a_golden_message_is_what_python_writes_and_reads(name: str) -> None:
    message = (GOLDEN / f"{name}.bin").read_bytes()
    assert message == write.MESSAGES[name]
    assert write.described(message) == json.loads((GOLDEN / f"{name}.json").read_text())


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 13))
def test_messages_survive_however_a_socket_cuts_them(messages: list[bytes], piece: int) -> None:
    stream = b"".join(prefixed(message) for message in messages)
    assembler = Assembler()
    pieces = (stream[i : i + piece] for i in range(0, len(stream), piece))
    assert [message for part in pieces for message in assembler.feed(part)] == messages


def test_a_command_is_read_with_its_id() -> None:
    name, command = read_message('{"type": "change", "id": "a1", "change": {"seed": 3}}')
    assert (name, command) == ("a1", commands.Change(change={"seed": 3}))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("not JSON", ""),
        ("[" * 1000, ""),
        ("[]", ""),
        ('{"id": "a"}', "type"),
        ('{"type": "explode", "id": "a"}', "type"),
        ('{"type": "play", "id": 7}', "id"),
        ('{"type": "play", "id": "a", "more": 1}', "more"),
        ('{"type": "ack", "frame": "3"}', "frame"),
        ('{"type": "watch", "id": "a", "rate": 61, "neurons": 20, "output": 100}', "rate"),
        ('{"type": "watch", "id": "a", "neurons": 3}', "neurons"),
        ('{"type": "watch", "id": "a", "units": [[0], [1, -1]]}', "units.1.1"),
        ('{"type": "watch", "id": "a", "units": [[256]]}', "units.0.0"),
        (
            '{"type": "watch", "id": "a", "units": [[], [], [], [], [], [], [], [], [], [], [], [], [], []]}',
            "units",
        ),
        ('{"type": "watch", "id": "a", "units": [], "enlarged": {"layer": 0}}', "enlarged.unit"),
        ('{"type": "weight", "id": "a", "layer": 0, "source": null, "unit": 0, "value": NaN}', "value"),
        ('{"type": "speed", "id": "a", "max": true, "steps_per_second": 1}', ""),
        ('{"type": "step", "id": "a"}', ""),
        ('{"type": "step", "id": "a", "steps": 0}', "steps"),
    ],
)
def test_a_message_outside_the_union_is_refused(text: str, field: str) -> None:
    with pytest.raises((ValidationError, ValidationFailed)) as refusal:
        read_message(text)
    assert [error.field for error in problem_of(refusal.value).errors] == [field]


def test_a_message_of_no_known_type_hears_which_there_are() -> None:
    for text in ('{"id": "a"}', '{"type": "explode"}', '{"type": ["play"]}'):
        with pytest.raises(ValidationFailed, match=r"type: .* play, pause, reset") as refusal:
            read_message(text)
        assert "watch" in (refusal.value.errors[0].fits or ())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"id": "a", "type": "explode"}', "a"),
        ('{"id": 7, "type": "play"}', None),
        ("[]", None),
        ('{"id": "a"', None),
    ],
)
def test_an_id_is_heard_whatever_else_is_wrong(text: str, name: str | None) -> None:
    assert sent_id(text) == name


@pytest.mark.parametrize(
    ("speed", "steps"),
    [({"epochs_per_second": 60}, 1500), ({"steps_per_second": 1}, 1), ({"max": True}, float("inf"))],
)
def test_a_speed_is_a_number_of_steps_per_second(speed: dict[str, Any], steps: float) -> None:
    assert Speed(**speed).steps(steps_per_epoch=25) == steps
    assert Speed(**speed).model_dump() == speed


def test_messages_to_and_from_a_worker_arrive_as_they_were_sent() -> None:
    drawn = Selection(((0, 2), ()), (1,))
    frame = worker.SendFrame(size=Size(20, 100, selected=True), fresh=True, selection=drawn)
    request = worker.Envelope(frame, "abc", 3)
    assert worker.read_request(request.encode()) == request
    event = worker.Envelope(worker.Failed(detail="no", errors=[fault("a", say("rule.missing"))]), "abc")
    assert worker.read_event(event.encode()) == event
