"""Presidio in a process of its own: reads texts from its input, writes what it found. The only module that imports it.

One line of JSON for each: `{"id": 1, "texts": [...]}` gives `{"id": 1, "found": [[0, "user.name"]]}`. It ends with its input.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence

import tldextract.tldextract
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngineProvider

from detectors.classify.recognizers.vocabulary import HEALTH_TERMS, ORIENTATION_TERMS, RELIGIOUS_TERMS

CATEGORIES: Mapping[str, str] = {
    "EMAIL_ADDRESS": "user.contact.email",
    "PHONE_NUMBER": "user.contact.phone_number",
    "PERSON": "user.name",
    "LOCATION": "user.contact.address.city",
    "CREDIT_CARD": "user.financial.credit_card.number",
    "IBAN_CODE": "user.financial.bank_account",
    "CRYPTO": "user.financial.bank_account",
    "US_BANK_NUMBER": "user.financial.bank_account",
    "IP_ADDRESS": "user.device.ip_address",
    "US_SSN": "user.government_id",
    "US_ITIN": "user.government_id",
    "US_PASSPORT": "user.government_id",
    "US_DRIVER_LICENSE": "user.government_id",
    "UK_NHS": "user.government_id",
    "UK_NINO": "user.government_id",
    "MEDICAL_LICENSE": "user.health_and_medical",
    "HEALTH_TERM": "user.health_and_medical",
    "RELIGIOUS_TERM": "user.demographic.religious_belief",
    "ORIENTATION_TERM": "user.demographic.sexual_orientation",
}
"""Our category for each of its entities; dates, addresses of the web and what it knows beyond are left out."""
THRESHOLD = 0.4
"""Score from which something is found: below it stand guesses without context."""
_TERMS = {"HEALTH_TERM": HEALTH_TERMS, "RELIGIOUS_TERM": RELIGIOUS_TERMS, "ORIENTATION_TERM": ORIENTATION_TERMS}
Analyze = Callable[[str], Sequence[str]]

# Its recognizer of e-mail addresses asks the network for a list of suffixes otherwise; the list inside of the package is enough.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())


def analyzer(model: str) -> Analyze:
    """Give a function from a text to categories: with a spaCy model also names and places, without one patterns alone."""
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    for entity, terms in _TERMS.items():
        registry.add_recognizer(PatternRecognizer(supported_entity=entity, deny_list=sorted(terms)))
    return _with_model(registry, model) if model else _patterns(registry)


def _with_model(registry: RecognizerRegistry, model: str) -> Analyze:
    provider = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    )
    engine = AnalyzerEngine(registry=registry, nlp_engine=provider.create_engine(), supported_languages=["en"])

    def analyze(text: str) -> Sequence[str]:
        results = engine.analyze(text, language="en", score_threshold=THRESHOLD)
        return sorted({CATEGORIES[each.entity_type] for each in results if each.entity_type in CATEGORIES})

    return analyze


def _patterns(registry: RecognizerRegistry) -> Analyze:
    recognizers: list[EntityRecognizer] = [
        each
        for each in registry.get_recognizers(language="en", all_fields=True)
        if "Spacy" not in type(each).__name__ and not CATEGORIES.keys().isdisjoint(each.supported_entities)
    ]
    nothing = NlpArtifacts.__new__(NlpArtifacts)

    def analyze(text: str) -> Sequence[str]:
        found = set()
        for each in recognizers:
            for result in each.analyze(text, each.supported_entities, nothing) or ():
                if result.score >= THRESHOLD and result.entity_type in CATEGORIES:
                    found.add(CATEGORIES[result.entity_type])
        return sorted(found)

    return analyze


def main() -> None:
    """Answer until the input ends."""
    analyze = analyzer(sys.argv[1] if len(sys.argv) > 1 else "")
    _say({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        found = [[index, category] for index, text in enumerate(asked["texts"]) for category in analyze(text)]
        _say({"id": asked["id"], "found": found})


def _say(message: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
