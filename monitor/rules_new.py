"""A first version of a rule, for its author to change: valid, tested, and in shadow."""

import re
from pathlib import Path

from detectors.documents import Problem
from detectors.rules import model, pack
from detectors.rules.names import Assessor
from monitor.files import ConfigProblems

_ID = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*")
_SCHEMA, _PACK_SCHEMA = "rule.schema.json", "pack.schema.json"


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
    """Write a rule under `<folder>/<pack>/<id>.yaml` with its runbook beside; never overwrites. Raises ConfigProblems.

    The first rule of a pack brings its manifest, and the schemas of both for editors.
    """
    if not _ID.fullmatch(name):
        raise ConfigProblems(
            [Problem(name, 0, "", "expected pack and name in lower case, such as acme.session-replay")]
        )
    of = name.partition(".")[0]
    file = folder / of / f"{name}.yaml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as output:
            output.write(template(name, assessor))
        (folder / _SCHEMA).write_text(model.schema_text(), encoding="utf-8")
        (folder / _PACK_SCHEMA).write_text(pack.schema_text(), encoding="utf-8")
        _write_once(file.with_name(pack.FILE), manifest(of))
        _write_once(file.with_suffix(".md"), runbook(name))
    except FileExistsError:
        raise ConfigProblems([Problem(str(file), 0, "", "there is a rule of this name already; edit it")]) from None
    except OSError as error:
        raise ConfigProblems([Problem(str(file), 0, "", f"cannot be written ({error.strerror})")]) from None
    return file


def _write_once(file: Path, text: str) -> None:
    if not file.exists():
        file.write_text(text, encoding="utf-8")


def manifest(of: str) -> str:
    """Give the text of a manifest to begin with."""
    return f"""\
# yaml-language-server: $schema=../{_PACK_SCHEMA}
pack: {of}
title: Rules of {of}
version: 0.1.0
# What several rules share: `flow.recipient in lists.vendors`, `macros.proved && …`.
lists: {{}}
macros:
  proved: flow.proof != "" && flow.role != "own"
"""


def runbook(name: str) -> str:
    """Give the text of a runbook to begin with."""
    return f"""\
# {name}

## What happened

Say in two sentences what the rule found, for somebody who is woken by it.

## What to check

1. Open the exemplars of the alert (topic, partition, offset) and look at the route that sent them.

## What to do

Say who may stop the data, and how.
"""


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
