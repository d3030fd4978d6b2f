"""What an engine and its workers say to one another so that sessions move to one with room."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from playground.catalogue.component import FROZEN


class Message(BaseModel):
    model_config = ConfigDict(**{**FROZEN, "strict": False})  # JSON knows no tuples


class HandOver(Message):
    """Let a session go to another worker: the answer is its `Snapshot`, after which it is gone. Refused while
    somebody waits for it, and to one that goes in lock-step."""

    type: Literal["hand_over"] = "hand_over"


class Load(Message):
    """How much of the last second went to live sessions, and to each of them."""

    type: Literal["load"] = "load"
    busy: float
    sessions: dict[str, float]
