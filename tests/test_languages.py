"""Every language says all that the page and the server say, in its own words.

python -m tests.test_languages            what is missing, stale, or of an English that has changed
python -m tests.test_languages written    notes that the translations are of the present English
"""

import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

from playground.i18n import FORM, PLACEHOLDER, PLURAL, english
from playground.run.description import describe

FOLDER = Path(__file__).parent.parent / "backend" / "playground" / "i18n"
TRANSLATED = Path(__file__).with_name("translated.json")
"""The fingerprint of the English that each translation is of."""
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "en")
SAME = {
    *("ReLU", "Leaky ReLU", "ELU", "GELU", "SiLU", "Tanh", "Linear", "Sigmoid", "Auto", "Huber", "Hinge"),
    *("SGD", "Momentum", "Momentum β", "Momentum β₁", "AdaGrad", "RMSProp", "Adam", "AdamW", "Normal"),
    *(
        "Alpha α",
        "Delta δ",
        "Epsilon ε",
        "XOR",
        "Adadelta",
        "AMSGrad",
        "NAdam",
        "RAdam",
        "Adamax",
        "Lion",
        "Rprop",
        "Factor f",
        "Factor γ",
        "L1",
        "L2",
        "Dropout",
        "sin X₁",
        "sin X₂",
        "cos X₁",
        "cos X₂",
    ),
    *("ROC", "X₁", "X₂", "X₁²", "X₂²", "X₁X₂", "MAE", "R²", "Test", "Bias", "Zoom", "Regression", "Pause"),
    *("Neuron {unit}", "No", "He normal", "LeCun normal", "Xavier normal"),
    *("TensorFlow Playground", "TF Playground"),
    *("Smiley", "Fourier"),
    *("Hard tanh", "Softsign", "PReLU", "Residual", "SELU", "Mish", "Softplus", "Orthogonal"),
}
"""Words that are written alike in English and another language."""


def words(language: str) -> dict[str, str]:
    """By key, in the order of the file. Raises ValueError for a key that is there twice."""

    def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
        keys = [key for key, _ in pairs]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"{language}.json has {sorted(twice)} twice")
        return dict(pairs)

    return json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=once)


def catalogue() -> dict[str, str]:
    """The labels and helps of components and fields, which have their English where they are declared."""
    found: dict[str, str] = {}
    described = describe()
    for part in [
        *(
            part
            for family in described.components.values()
            for kind in family
            for part in (kind, *kind.parameters, *kind.slots)
        ),
        *described.fields,
    ]:
        for key, text in ((part.code, part.label), (f"{part.code}.help", part.help)):
            assert found.setdefault(key, text) == text, f"{key} stands for two texts"
    return found


def fingerprints() -> dict[str, str]:
    said = english() | catalogue()
    return {key: hashlib.sha256(text.encode()).hexdigest()[:8] for key, text in said.items()}


def translated() -> dict[str, str]:
    return json.loads(TRANSLATED.read_text(encoding="utf-8"))


def placeholders(entry: str) -> tuple[set[str], set[str]]:
    """The names of all, and of those for a number in groups of digits."""
    plain = PLACEHOLDER.findall(PLURAL.sub(lambda found: FORM.sub(r"\2", found[2]), entry))
    names = {name for name, _ in plain} | {name for name, _ in PLURAL.findall(entry)}
    return names, {name for name, grouped in plain if grouped}


def missing(language: str) -> list[str]:
    """A component or a field that has never been translated may be: it is shown in English until then."""
    needed = english().keys() | (catalogue().keys() & translated().keys())
    return sorted(needed - words(language).keys())


def findings() -> list[str]:
    """All that there is to do, a line each."""
    said = english() | catalogue()
    found = []
    for language in LANGUAGES:
        there = words(language)
        found += [f"{language}.json lacks {key}: {said[key]}" for key in said if key not in there]
        found += [f"{language}.json has {key}, which nothing says" for key in there if key not in said]
    before = translated()
    return found + [
        f"the English of {key} has changed: {said[key]}"
        for key, now in fingerprints().items()
        if before.get(key, now) != now
    ]


def put_in_order(language: str) -> None:
    """As the lines of en.json, then what the catalogue says."""
    there = words(language)
    lines = []
    for line in (FOLDER / "en.json").read_text(encoding="utf-8").splitlines()[1:-1]:
        key = line.split('"')[1] if line else ""
        if not line or key in there:
            lines.append(pair(key, there[key]) if key else "")
    lines += ["", *(pair(key, there[key]) for key in catalogue() if key in there)]
    text = "\n".join(["{", *lines]).removesuffix(",") + "\n}\n"
    (FOLDER / f"{language}.json").write_text(text, encoding="utf-8")


def pair(key: str, text: str) -> str:
    return f"  {json.dumps(key)}: {json.dumps(text, ensure_ascii=False)},"


HOW = "; `python -m tests.test_languages` lists all"


def test_there_are_german_and_spanish() -> None:
    """There was English only."""
    assert {"de", "es"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete(language: str) -> None:
    assert missing(language) == [], f"{language}.json lacks these{HOW}"
    assert words(language).keys() <= (english() | catalogue()).keys(), f"{language}.json has more{HOW}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_order_of_english(language: str) -> None:
    there = words(language)
    assert list(there) == [key for key in english() | catalogue() if key in there]


def test_translations_are_of_the_present_english() -> None:
    now = fingerprints()
    changed = [key for key, then in translated().items() if now.get(key, then) != then]
    assert changed == [], "translate these anew, then run `python -m tests.test_languages written`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_takes_the_same_values(language: str) -> None:
    said = english() | catalogue()
    for key, text in words(language).items():
        assert placeholders(text) == placeholders(said[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_the_language(language: str) -> None:
    for key, text in words(language).items():
        assert text.count(", plural,") == len(PLURAL.findall(text)), f"{key} is badly written"
        for _, forms in PLURAL.findall(text):
            assert [category for category, _ in FORM.findall(forms)] == ["one", "other"], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(language: str) -> None:
    said = english() | catalogue()
    left = {
        text
        for key, text in words(language).items()
        if text == said[key] and re.search(r"[^\W\d]{2}", re.sub(r"\{.*?\}", "", text))
    }
    assert left <= SAME


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_words_are_plain_text(language: str) -> None:
    for key, text in words(language).items():
        assert text.strip() == text != "", key
        assert not re.search(r"</?\w|&\w+;", text), f"{key} has HTML"


@pytest.mark.parametrize("language", ["de", "es"])
def test_decimals_begin_with_a_comma(language: str) -> None:
    for key, text in words(language).items():
        assert not re.search(r"\d\.\d", text), key


if __name__ == "__main__":
    if sys.argv[1:] == ["written"]:
        for language in LANGUAGES:
            put_in_order(language)
        done = {key for language in LANGUAGES for key in words(language)}
        notes = {key: now for key, now in fingerprints().items() if key in done}
        TRANSLATED.write_text(json.dumps(notes, indent=0) + "\n", encoding="utf-8")
    else:
        sys.exit("\n".join(findings()) or 0)
