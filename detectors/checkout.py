"""Checkout over-collection: a step of the purchase that gets personal data which it does not need.

## What it finds

Requests and events of a purchase (cart, contact, shipping, payment, review, order, account) whose fields hold kinds of data
that this step, or the recipient that got them, does not need; among them the sensitive ones, and those that must never be
there, such as a card security code outside of the payment.

## Why it matters

Data must be adequate, relevant and limited to what its purpose needs (GDPR Art. 5(1)(c)); several privacy acts of US states
say the same in their own words, and some forbid collecting sensitive data that is not strictly necessary. What was never
collected cannot leak.

## Example

The shipping step posts `shipping_address.dateOfBirth`. A parcel needs a name and an address, not a birthday. For goods with
an age limit a yes or no from an age check is enough.

## What it cannot see

Whether the goods, the country or the carrier make a field necessary: such fields are never reported. What an analytics library
attaches to every event (`context.location`) says nothing about the step and is left to the other detectors. Fields whose name and
look tell nothing, values inside of free text other than e-mail addresses and card numbers, and parts that could not be decoded.
"""

from detectors.assessment import Checkout, Law
from detectors.classify.needs import Need, NeedTable
from detectors.classify.taxonomy import Taxonomy
from topics.flow import DataFlow, Role, Step


def assess(flow: DataFlow, law: Law, needs: NeedTable, taxonomy: Taxonomy) -> Checkout:
    """State what the step of a flow got and does not need. Empty for flows outside of a purchase."""
    if flow.step is Step.NONE:
        return Checkout()
    fields = [field for field in flow.fields if not needs.is_ambient(field.path)]
    own = flow.role is Role.OWN
    found = needs.assess(flow.step, flow.purpose, (field.category for field in fields), own=own)
    if not found:
        return Checkout(step=flow.step.value)
    excess = {each.category: each for each in found}
    unneeded = tuple(each.category for each in found if each.kind is Need.UNNEEDED)
    return Checkout(
        step=flow.step.value,
        unneeded=unneeded,
        sensitive=tuple(each for each in unneeded if taxonomy.is_sensitive(each, law.jurisdiction)),
        prohibited=tuple(each.category for each in found if each.kind is Need.PROHIBITED),
        paths=tuple(sorted({field.path for field in fields if field.category in excess})),
        reasons=tuple(dict.fromkeys(each.reason for each in found)),
    )
