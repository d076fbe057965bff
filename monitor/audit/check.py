"""The check of one input partition. Pure: evidence and what the judge says in, a result out."""

from monitor.audit.evidence import Evidence, Place
from monitor.audit.findings import Findings
from monitor.audit.letters import Letters
from monitor.audit.ranges import Ranges
from monitor.audit.verdict import Result, Words


def check(place: Place, evidence: Evidence, words: Words | None, bundle: str) -> Result:
    """Check one input partition. `words` is None when the judge was not asked; it judges by `bundle`."""
    result = Result()
    ranges = Ranges(place, evidence, result)
    ranges.check()
    Findings(ranges, evidence, words, bundle).check()
    Letters(ranges, evidence, words, bundle).check()
    return result
