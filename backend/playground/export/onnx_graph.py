"""The network of a run as an ONNX graph, from raw inputs of a point, or its features, to its output."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from playground.catalogue.activations import Activation
from playground.catalogue.normalizations import NoNormalization
from playground.export.taken import CannotExport, Taken
from playground.i18n import say
from playground.run.layers import LayerShape

OPSET = 20
"""The first with Gelu."""
IR_VERSION = 9


def onnx_model(taken: Taken) -> bytes:
    """Of float32 features (batch, features) to raw outputs (batch, units), as `evaluate` has them. Raises
    `CannotExport`."""
    import onnx
    from onnx import TensorProto, helper

    graph = Graph()
    outputs, before = [], "features"
    for index, layer in enumerate(taken.layers):
        seen = before
        if layer.shortcut.sees_all and index:
            seen = graph.add("Concat", ["features", *outputs], axis=1)
        made = _layer(graph, layer, taken.weights[index], seen)
        if layer.shortcut.adds_input:
            made = graph.add("Add", [before, made])
        outputs.append(made)
        before = made
    graph.nodes.append(("Identity", [before], ["output"], {}))
    nodes = [helper.make_node(op, took, gave, **named) for op, took, gave, named in graph.nodes]
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name, size in (("features", taken.layers[0].inputs), ("output", taken.layers[-1].width))
    ]
    whole = helper.make_graph(nodes, taken.name, ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        whole, opset_imports=opsets, ir_version=IR_VERSION, producer_name="Neural network playground"
    )
    helper.set_model_props(model, {"features": ", ".join(taken.config.features)})
    onnx.checker.check_model(model)
    return model.SerializeToString()


class Graph:
    """Nodes and constants, each value under a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[tuple[str, list[str], list[str], dict[str, Any]]] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, op: str, operands: Sequence[str], **attributes: Any) -> str:
        """The name of what the operation gives."""
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append((op, list(operands), [name], attributes))
        return name

    def constant(self, value: Any, name: str = "constant") -> str:
        whole = f"{name}_{len(self.constants)}"
        self.constants[whole] = np.asarray(value, np.float32, order="C")
        return whole


def _layer(graph: Graph, layer: LayerShape, weights: Mapping[str, np.ndarray], seen: str) -> str:
    weight, bias = graph.constant(weights["weight"], "weight"), graph.constant(weights["bias"], "bias")
    z = graph.add("Gemm", [seen, weight, bias])
    norm = layer.normalization
    if not isinstance(norm, NoNormalization):
        if not norm.onnx:
            raise CannotExport(say("export.no_onnx", what=norm.named()))
        op, *names = norm.onnx
        operands = [graph.constant(weights[name], name) for name in names]
        extra = {} if norm.buffers else {"axis": -1}
        z = graph.add(op, [z, *operands], epsilon=norm.eps, **extra)
    return activated(graph, layer.activation, z, weights)


def activated(graph: Graph, activation: Activation, z: str, weights: Mapping[str, np.ndarray]) -> str:
    """What the activation makes of a value."""
    if not activation.onnx:
        raise CannotExport(say("export.no_onnx", what=activation.named()))
    value = z
    fields = {name: getattr(activation, name) for name in type(activation).model_fields if name != "kind"}
    for op, *operands in activation.onnx:
        took = []
        for operand in operands:
            if isinstance(operand, float):
                took.append(graph.constant(np.float32(operand)))
            elif operand in activation.learned:
                took.append(graph.constant(weights[operand], operand))
            else:
                took.append(z if operand == "z" else value)
        value = graph.add(str(op), took, **fields)
    return value
