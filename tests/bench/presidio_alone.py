"""Presidio's own recognizers by regular expression, without a language model: what the monitor is compared with."""

from collections.abc import Sequence

import tldextract.tldextract
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    DateRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
    UsSsnRecognizer,
)

# Presidio's e-mail recognizer asks the network for a list of suffixes otherwise; the list inside of the package is enough.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
_THRESHOLD = 0.4
_NAMES = {"DATE_TIME": "DATE_OF_BIRTH"}
_RECOGNIZERS = [
    kind()
    for kind in (
        EmailRecognizer,
        UsSsnRecognizer,
        CreditCardRecognizer,
        PhoneRecognizer,
        IbanRecognizer,
        IpRecognizer,
        DateRecognizer,
    )
]
ENTITIES = [entity for each in _RECOGNIZERS for entity in each.supported_entities]


def analyze(text: str) -> Sequence[str]:
    """Give the classes that any recognizer finds in a text, at the threshold of the baseline."""
    found = set()
    for recognizer in _RECOGNIZERS:
        for result in recognizer.analyze(text, recognizer.supported_entities, NlpArtifacts.__new__(NlpArtifacts)) or ():
            if result.score >= _THRESHOLD:
                found.add(_NAMES.get(result.entity_type, result.entity_type))
    return sorted(found)
