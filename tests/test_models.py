"""Networks come and go as files of other programs, with the same outputs."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.errors import ValidationFailed
from playground.export.formats import FORMATS
from playground.export.keras_script import keras_script
from playground.export.models.keras_file import read_keras
from playground.export.models.network import Opened, opened
from playground.export.models.onnx_model import read_onnx
from playground.export.models.safetensors_file import read_safetensors
from playground.export.onnx_graph import onnx_model
from playground.export.taken import CannotExport, Taken
from playground.run.run import Run
from tests.loops import put_weights, start, weights

POINTS = np.random.default_rng(0).uniform(-3, 3, (7, 2)).astype(np.float32)
SMALL = {"data": {"kind": "spiral", "samples": 20}, "version": 2}
BUSY = {
    **SMALL,
    "hidden": [
        {"width": 4, "normalization": {"kind": "batchnorm"}, "activation": {"kind": "prelu"}},
        {"width": 4, "normalization": {"kind": "layernorm"}, "shortcut": {"kind": "residual"}},
        {"width": 3, "activation": {"kind": "silu"}, "shortcut": {"kind": "dense"}, "dropout": 0.1},
    ],
}


def trained(raw: dict[str, Any]) -> tuple[Taken, np.ndarray]:
    """A run, and what its network puts out at `POINTS`."""
    loop = start(raw)
    loop.train(25)
    return Taken(Run(loop.config), 25, weights(loop), {}, {}), outputs(loop)


def outputs(loop: Any) -> np.ndarray:
    units = loop.experiment.network.layers[-1].width
    return loop.trainer.activations(torch.from_numpy(POINTS)[None])[-units:].T


def of(found: Opened) -> np.ndarray:
    """What a network that was opened puts out at `POINTS`."""
    loop = start(found.config)
    put_weights(loop, found.weights)
    return outputs(loop)


def by_onnx(model: bytes) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: POINTS})[0])


def test_onnx_gives_the_outputs_of_the_network() -> None:
    for raw in [
        BUSY,
        *({**SMALL, "hidden": [{"width": 3, "activation": {"kind": k.name()}}]} for k in members(Activation)),
    ]:
        taken, ours = trained(raw)
        np.testing.assert_allclose(by_onnx(onnx_model(taken)), ours, rtol=1e-4, atol=1e-5)


def test_onnx_comes_back_as_it_went() -> None:
    for kind in members(Activation):
        layer = {"width": 3, "activation": {"kind": kind.name()}, "normalization": {"kind": "batchnorm"}}
        taken, ours = trained({**SMALL, "hidden": [layer, {"width": 2}]})
        found = opened(read_onnx(onnx_model(taken)), SMALL, {})
        assert found.config.hidden[0].activation.kind == kind.name()
        np.testing.assert_allclose(of(found), ours, rtol=1e-4, atol=1e-5)


def test_safetensors_come_back_with_their_config() -> None:
    taken, ours = trained(BUSY)
    found = read_safetensors(FORMATS["safetensors"].write(taken), {}, {})
    assert found.config == taken.config
    np.testing.assert_array_equal(of(found), ours)


# Keras makes numpy arrays of torch's numbers in a way that numpy will not know for ever.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    return keras


def test_a_keras_file_opens_with_the_same_outputs(keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(5, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("gelu"),
            layers.Dropout(0.2),
            layers.Dense(4, activation="elu"),
            layers.BatchNormalization(),
            layers.Dense(4),
            layers.LeakyReLU(negative_slope=0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    for layer in model.layers:
        if "batch" in layer.name:
            layer.set_weights([np.random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    model.save(tmp_path / "model.keras")
    found = opened(read_keras((tmp_path / "model.keras").read_bytes()), {}, {})
    assert found.config.loss.kind == "cross_entropy"
    assert [layer.dropout for layer in found.config.hidden] == [0.2, 0, 0]
    shares = torch.from_numpy(of(found)).softmax(dim=1).numpy()
    np.testing.assert_allclose(shares, model.predict(POINTS, verbose=0), rtol=1e-3, atol=1e-5)


def test_a_keras_script_runs(keras: Any, capsys: pytest.CaptureFixture[str]) -> None:
    taken, _ = trained({**BUSY, "l2": 0.01, "clip_norm": 1.0, "stopping": {"kind": "early_stopping"}})
    exec(compile(keras_script(taken), "exported.py", "exec"), {})
    assert "training loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ({"optimizer": {"kind": "rprop"}}, "Rprop"),
        ({"loss": {"kind": "hinge", "margin": 2.0}}, "Hinge"),
        ({"schedule": {"kind": "one_cycle"}}, "One cycle"),
        ({"hidden": [{"width": 2, "activation": {"kind": "step"}}]}, "Step"),
    ],
)
def test_what_keras_cannot_do_is_refused_by_name(raw: dict[str, Any], name: str) -> None:
    with pytest.raises(CannotExport, match=name):
        keras_script(Taken(Run(start({**SMALL, **raw}).config), 1, [], {}, {}))


def graph(*nodes: Any, weight: Any = None) -> bytes:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("x", "y")]
    arrays = [onnx.numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")] if weight is None else [weight]
    return helper.make_model(
        helper.make_graph(list(nodes), "g", ends[:1], ends[1:], arrays)
    ).SerializeToString()


def elsewhere() -> Any:
    tensor = onnx.numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (graph(helper.make_node("Conv", ["x", "w"], ["y"])), "Conv"),
        (graph(helper.make_node("Gemm", ["x", "w"], ["y"]), weight=elsewhere()), "another file"),
        (graph(helper.make_node("Gemm", ["z", "w"], ["y"])), "one way"),
        (b"", "no ONNX file"),
        (b"\x80\x04pickled", "no ONNX file"),
    ],
)
def test_a_model_that_is_none_of_ours_is_refused_by_name(content: bytes, name: str) -> None:
    with pytest.raises(ValidationFailed, match=name):
        opened(read_onnx(content), {}, {})


def zipped(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name.replace("_", "."), content)
    return file.getvalue()


LAMBDA = (
    b'{"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {"name": "l"}}]}}'
)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"no zip", "no Keras file"),
        (zipped(config_json=b"{"), "no Keras file"),
        (zipped(config_json=b" " * 17 * 2**20), "16 MiB"),
    ],
)
def test_a_keras_file_that_is_none_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(ValidationFailed, match=name):
        read_keras(content)


def test_a_layer_with_code_in_it_is_refused_by_name(keras: Any, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValidationFailed, match="Lambda"):
        read_keras((tmp_path / "model.keras").read_bytes())


def test_a_file_becomes_a_session(client: httpx.Client) -> None:
    taken, _ = trained({**SMALL, "hidden": [{"width": 3}]})
    found = client.post(
        "/api/import/model",
        files={"file": ("model.onnx", onnx_model(taken))},
        data={"config": '{"version": 2}'},
    )
    assert found.status_code == 200, found.text
    session = client.post("/api/sessions", json=found.json()).json()
    there = client.get(f"/api/sessions/{session['id']}/weights").json()["layers"]
    np.testing.assert_allclose(there[0]["weight"], taken.weights[0]["weight"])
    wrong = client.post("/api/import/model", files={"file": ("model.pkl", b"no")})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "file"
