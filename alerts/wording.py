"""The sentence of an alert. Pure."""

from topics.alert import Change
from topics.distinct import Distinct

_TAILS = {
    Change.OPENED: "",
    Change.GROWN: " so far",
    Change.ESCALATED: ", and now it is more severe",
    Change.QUIET: ", and nothing new for a while",
    Change.RESOLVED: ", and nothing new for so long that it counts as over",
    Change.REOPENED: ", and it has begun again",
}


def sentence(reason: str, findings: int, people: Distinct, change: Change) -> str:
    """Say in one plain sentence what happened: a finding's reason, how much of it, and what changed."""
    amount = "1 finding" if findings == 1 else f"{findings} findings"
    number = len(people)
    about = "" if number == 0 else " about 1 person" if number == 1 else f" about {number} persons"
    if not people.is_exact:
        about = f" about some {number} persons"
    return f"{reason.rstrip(' .')}: {amount}{about}{_TAILS[change]}."
