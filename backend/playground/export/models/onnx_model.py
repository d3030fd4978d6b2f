"""An ONNX model of dense layers, batch normalisation, dropout and the catalogue's activations. Everything
else is refused by the name of its operator."""

from typing import Any

import numpy as np

from playground.catalogue.activations import Activation
from playground.catalogue.component import members
from playground.errors import ValidationFailed
from playground.export.models.network import Found, refused
from playground.i18n import say

PASSED = ("Identity", "Flatten", "Reshape", "Squeeze", "Cast")
"""Operators that leave a row of numbers as it is."""


def read_onnx(content: bytes) -> Found:
    """Raises `ValidationFailed`."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(content)
        return _read(model.graph)
    except ValidationFailed:
        raise
    except (DecodeError, ValueError, TypeError, IndexError, AttributeError, KeyError):
        raise refused(say("import.unreadable", kind="ONNX")) from None


def _read(graph: Any) -> Found:
    import onnx

    if not graph.node:
        raise refused(say("import.unreadable", kind="ONNX"))
    constants = {}
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise refused(say("import.external"))
        constants[tensor.name] = onnx.numpy_helper.to_array(tensor)
    for node in graph.node:
        if node.op_type == "Constant" and len(node.attribute) == 1 and node.attribute[0].HasField("t"):
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    inputs = [value.name for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        raise refused(say("import.one_way"))
    return Chain(inputs[0], [node for node in graph.node if node.op_type != "Constant"], constants).read()


class Chain:
    """Nodes one behind the other."""

    def __init__(self, start: str, nodes: list[Any], constants: dict[str, np.ndarray]):
        self._value, self._left, self._constants = start, nodes, constants
        self._found = Found()

    def read(self) -> Found:
        while self._left:
            if not self._activation():
                self._layer()
        return self._found

    def _layer(self) -> None:
        node = self._next()
        named = {attribute.name: _value(attribute) for attribute in node.attribute}
        match node.op_type:
            case "Gemm":
                scaled = named.get("alpha", 1.0) != 1 or named.get("beta", 1.0) != 1 or named.get("transA", 0)
                if scaled:
                    raise refused(say("import.operator", what=node.op_type))
                weight = self._constant(node, 1)
                bias = self._constant(node, 2) if len(node.input) > 2 else None
                self._found.dense(weight.T if named.get("transB", 0) else weight, bias)
            case "MatMul":
                weight, bias = self._constant(node, 1), None
                after = self._left[0] if self._left else None
                if after is not None and after.op_type == "Add":
                    operands = [name for name in after.input if name in self._constants]
                    if len(operands) == 1 and node.output[0] in after.input:
                        node, bias = self._left.pop(0), self._constants[operands[0]].reshape(-1)
                self._found.dense(weight, bias)
            case "BatchNormalization":
                names = ("gamma", "beta", "running_mean", "running_var")
                values = {name: self._constant(node, place + 1) for place, name in enumerate(names)}
                self._found.normalise(values, named.get("epsilon", 1e-5))
            case "Dropout":
                rate = self._constants.get(node.input[1]) if len(node.input) > 1 else named.get("ratio", 0.5)
                self._found.drop(float(0.5 if rate is None else rate))
            case "Softmax":
                self._found.ends("softmax")
            case op if op not in PASSED:
                raise refused(say("import.operator", what=op))
        self._value = node.output[0]

    def _next(self) -> Any:
        """The node that takes what there is."""
        node = self._left.pop(0)
        if not node.input or node.input[0] != self._value:
            raise refused(say("import.one_way"))
        return node

    def _constant(self, node: Any, place: int) -> np.ndarray:
        name = node.input[place] if place < len(node.input) else ""
        if name not in self._constants:
            raise refused(say("import.operator", what=node.op_type))
        return self._constants[name]

    def _activation(self) -> bool:
        """Takes the operations of an activation, the longest that fits."""
        fitting = [(len(kind.onnx), kind) for kind in members(Activation) if kind.onnx]
        for length, kind in sorted(fitting, key=lambda pair: -pair[0]):
            nodes = self._left[:length]
            if [node.op_type for node in nodes] != [op for op, *_ in kind.onnx]:
                continue
            read = self._operands(kind, nodes)
            if read is None:
                continue
            fields = {
                attribute.name: _value(attribute)
                for node in nodes
                for attribute in node.attribute
                if attribute.name in kind.model_fields
            }
            self._found.activate(kind(**fields), read)
            del self._left[:length]
            self._value = nodes[-1].output[0]
            return True
        return False

    def _operands(self, kind: type[Activation], nodes: list[Any]) -> dict[str, np.ndarray] | None:
        """What is learned, if the nodes take what the activation says."""
        learned: dict[str, np.ndarray] = {}
        value = self._value
        for node, (_, *operands) in zip(nodes, kind.onnx, strict=True):
            if len(node.input) != len(operands):
                return None
            wanted = [self._value if operand == "z" else value for operand in operands]
            for name, operand, expected in zip(node.input, operands, wanted, strict=True):
                if isinstance(operand, float):
                    if name not in self._constants or float(self._constants[name]) != operand:
                        return None
                elif operand in kind.learned:
                    if name not in self._constants or self._constants[name].size != 1:
                        return None
                    learned[operand] = self._constants[name].reshape(1)
                elif name != expected and not (len(operands) == 2 and expected in node.input):
                    return None
            value = node.output[0]
        return learned


def _value(attribute: Any) -> Any:
    return {1: attribute.f, 2: attribute.i, 3: attribute.s, 7: list(attribute.ints)}.get(attribute.type)
