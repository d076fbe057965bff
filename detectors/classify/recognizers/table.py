"""All recognizers, written out by family, and the validators that they and custom types may name."""

from collections.abc import Mapping

from detectors.classify.recognizers import (
    contact,
    credentials,
    devices,
    financial,
    government,
    hashes,
    location,
    sensitive,
)
from detectors.classify.recognizers.european_checks import EUROPEAN_CHECKS
from detectors.classify.recognizers.national_checks import NATIONAL_CHECKS
from detectors.classify.recognizers.recognizer import Table, Validator
from detectors.classify.recognizers.value_checks import VALUE_CHECKS

SHIPPED: Table = {
    "contact": contact.RECOGNIZERS,
    "financial": financial.RECOGNIZERS,
    "government": government.RECOGNIZERS,
    "devices": devices.RECOGNIZERS,
    "location": location.RECOGNIZERS,
    "credentials": credentials.RECOGNIZERS,
    "hashes": hashes.RECOGNIZERS,
    "sensitive": sensitive.RECOGNIZERS,
}
"""The order is the order of trying: where two look alike, the earlier one proves more."""

VALIDATORS: Mapping[str, Validator] = {**VALUE_CHECKS, **EUROPEAN_CHECKS, **NATIONAL_CHECKS}
"""Every validator by its name."""
