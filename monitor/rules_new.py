"""A first version of a rule, for its author to change: valid, tested, and in shadow."""

import re
from pathlib import Path

from detectors.documents import Problem
from detectors.rules.model import schema_text
from detectors.rules.names import Assessor
from monitor.files import ConfigProblems

_ID = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*")
_SCHEMA = "rule.schema.json"


class _Start:
    """What a template says for one assessor."""

    def __init__(self, when: str, why: str, group: str, finds: str, none: str) -> None:
        self.when, self.why, self.group, self.finds, self.none = when, why, group, finds, none


_STARTS = {
    Assessor.TRACKING: _Start(
        'flow.proof != "" && flow.role != "own" && flow.recipient == "an-id-of-a-recipient"',
        "{flow.recipient} received data for {flow.purpose}.",
        "flow.recipient, flow.service, law.jurisdiction",
        "flow: {recipient: an-id-of-a-recipient, role: third-party, proof: integration}",
        "flow: {recipient: another-recipient, role: third-party, proof: integration}",
    ),
    Assessor.TRANSFERS: _Start(
        'transfer.status == "missing" && transfer.destination == "US"',
        "Data of people in {transfer.origin} goes to {flow.recipient} in {transfer.destination} without a mechanism.",
        "flow.recipient, transfer.origin, transfer.destination",
        "transfer: {status: missing, origin: DE, destination: US}",
        "transfer: {status: documented, origin: DE, destination: US}",
    ),
    Assessor.CHECKOUT: _Start(
        'checkout.step == "payment" && checkout.unneeded.size() > 0',
        "The step {checkout.step} of {flow.service} collected {checkout.unneeded}.",
        "flow.service, checkout.step",
        "checkout: {step: payment, unneeded: [user.demographic.date_of_birth]}",
        "checkout: {step: payment}",
    ),
    Assessor.RECIPIENTS: _Start(
        'agreement.status == "missing"',
        "{flow.recipient} received {flow.categories} and is not on the register.",
        "flow.recipient, flow.service",
        "agreement: {status: missing}",
        "agreement: {status: documented}",
    ),
}


def new_rule(folder: Path, name: str, assessor: Assessor) -> Path:
    """Write a rule under `<folder>/<pack>/<id>.yaml` with its schema beside. Raises ConfigProblems; never overwrites."""
    if not _ID.fullmatch(name):
        raise ConfigProblems(
            [Problem(name, 0, "", "expected pack and name in lower case, such as acme.session-replay")]
        )
    pack = name.partition(".")[0]
    file = folder / pack / f"{name}.yaml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as output:
            output.write(template(name, assessor))
        (folder / _SCHEMA).write_text(schema_text(), encoding="utf-8")
    except FileExistsError:
        raise ConfigProblems([Problem(str(file), 0, "", "there is a rule of this name already; edit it")]) from None
    except OSError as error:
        raise ConfigProblems([Problem(str(file), 0, "", f"cannot be written ({error.strerror})")]) from None
    return file


def template(name: str, assessor: Assessor) -> str:
    """Give the text of a rule that passes every check as it stands."""
    start = _STARTS[assessor]
    return f"""\
# yaml-language-server: $schema=../{_SCHEMA}
id: {name}
title: Say in a few words what is wrong
version: 0.1.0
status: experimental
# shadow: findings go to privacy.shadow.v1 and the metrics, and call nobody. Make it live when a backtest is quiet enough.
mode: shadow
assessor: {assessor.value}
when: >
  {start.when}
severity: medium
# What makes findings one episode.
group_by: [{start.group}]
# Duties that the rule is about, such as ["*-consent"]; empty: all that hold where the person is.
law: []
runbook: {name}
why: >
  {start.why}
tests:
  - name: what must be found
    given:
      {start.finds}
    expect: finding
  - name: what must not be found
    given:
      {start.none}
    expect: none
"""
