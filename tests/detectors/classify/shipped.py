"""The lists that the package ships, loaded the way the program loads them."""

from functools import cache
from importlib.resources import files

from detectors.classify.needs import NeedTable, read_needs
from detectors.classify.recipients import RecipientIndex, read_recipients
from detectors.classify.steps import StepMap, read_steps
from detectors.classify.taxonomy import Taxonomy, read_taxonomy


def text(name: str) -> str:
    return files("detectors.classify").joinpath(name).read_text("utf-8")


@cache
def taxonomy() -> Taxonomy:
    value, problems = read_taxonomy(text("taxonomy.yaml"), "taxonomy.yaml", text("words.yaml"), "words.yaml")
    assert value, problems
    return value


@cache
def recipients() -> RecipientIndex:
    value, problems = read_recipients(
        text("recipients.yaml"), "recipients.yaml", text("companies.yaml"), "companies.yaml"
    )
    assert value, problems
    return value


@cache
def steps() -> StepMap:
    value, problems = read_steps(text("steps.yaml"), "steps.yaml")
    assert value, problems
    return value


@cache
def needs() -> NeedTable:
    value, problems = read_needs(text("needs.yaml"), "needs.yaml", taxonomy())
    assert value, problems
    return value
