"""The traffic of the benchmark is what its page says."""

import json
from collections import Counter

from tests.bench.mix import FORMATS, Mix


def test_a_seed_gives_the_same_bytes_again() -> None:
    assert list(Mix(4, visitors=300).records(300)) == list(Mix(4, visitors=300).records(300))
    assert list(Mix(4, visitors=300).records(300)) != list(Mix(5, visitors=300).records(300))


def test_a_record_has_one_and_a_half_kilobytes_in_the_mean() -> None:
    made = list(Mix(4, visitors=1_000).records(4_000))
    assert 1_350 < sum(len(each.value) for each in made) / len(made) < 1_600
    assert all(isinstance(json.loads(each.value), dict) for each in made)


def test_gateways_carry_most_of_it_and_every_format_occurs() -> None:
    topics = Counter(each.topic for each in Mix(4, visitors=1_000).records(4_000))
    assert set(topics) == set(FORMATS)
    assert (topics["kong"] + topics["nginx"] + topics["envoy"]) / topics.total() > 0.7


def test_refusals_and_opt_out_signals_are_in_it() -> None:
    mix = Mix(4, visitors=1_000)
    choices = [json.loads(choice) for choice in mix.choices()]
    assert 0.1 < sum("refused" in choice for choice in choices) / len(choices) < 0.4
    assert sum(b'"sec-gpc":"1"' in each.value for each in mix.records(2_000)) > 50
