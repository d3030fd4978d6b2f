"""Everything that a visitor reads. `en.json` has the English, for the page and for what the server says.

What the server says travels as a code with values, so that the page can say it in another language, and
with its English beside it, for scripts.
"""

import json
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

PLACEHOLDER = re.compile(r"\{(\w+)(:,)?\}")
"""`{name}` stands for a value, `{name:,}` for a number in groups of three digits."""
PLURAL = re.compile(r"\{(\w+), plural,((?: \w+ \{(?:[^{}]|\{[^{}]*\})*\})+)\}")
"""`{name, plural, one {# neuron} other {# neurons}}`: the form for a count, of ICU MessageFormat; # is the
count. A language may have more forms, by the categories of CLDR."""
FORM = re.compile(r"(\w+) \{((?:[^{}]|\{[^{}]*\})*)\}")


class Text(BaseModel):
    """Something that the server says to a person."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )
    code: str = Field(examples=["effect.optimizer_anew"])
    """Its key in the translations."""
    values: "Values" = Field(default={}, examples=[{}])
    """What its placeholders stand for."""
    text: str = Field(examples=["The weights are kept; the optimizer starts anew, its step count too."])
    """In English."""

    @property
    def as_detail(self) -> dict[str, Any]:
        """Its parts, for messages that call the English `detail`."""
        return {"detail": self.text, "code": self.code, "values": self.values}


Value = TypeAliasType(
    "Value",
    Annotated["str | int | float | list[str] | Text", Field(description="What a placeholder stands for")],
)
"""A text in a text is a name, as of a component, or a part of the sentence."""
Values: TypeAlias = dict[str, Value]
Text.model_rebuild()


def say(code: str, /, **values: Any) -> Text:
    """The text of this key with these values. Raises KeyError for a key or a placeholder without a value."""
    return Text(code=code, values=values, text=_filled(english()[code], values))


@cache
def english() -> dict[str, str]:
    """The whole translation file by key."""
    return json.loads(Path(__file__).with_name("en.json").read_text(encoding="utf-8"))


def _filled(entry: str, values: dict[str, Any]) -> str:
    def chosen(found: re.Match[str]) -> str:
        form = dict(FORM.findall(found[2]))["one" if values[found[1]] == 1 else "other"]
        return form.replace("#", f"{{{found[1]}:,}}")

    entry = PLURAL.sub(chosen, entry)
    return PLACEHOLDER.sub(lambda found: _shown(values[found[1]], "," if found[2] else ""), entry)


def _shown(value: Any, grouped: str) -> str:
    match value:
        case Text():
            return value.text
        case list() | tuple():
            return ", ".join(value)
        case float() if not value.is_integer() or abs(value) > 1e15:
            return f"{Decimal(f'{value:.6g}'):f}"
        case int() | float():
            return f"{int(value):{grouped}}"
        case _:
            return str(value)
