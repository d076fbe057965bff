"""Checkout over-collection: a step of the purchase that gets personal data which it does not need.

## What it finds

Requests and events of a purchase (cart, contact, shipping, payment, review, order, account) whose fields hold kinds of data
that this step does not need, or not yet; and payment providers, carriers and tax services that get what their work does not
need. Among them are the sensitive kinds, and those that must never be there, such as a card security code outside of the
payment. What is bought counts: a download needs no street, and goods with an age limit may need a date of birth. With a learned
baseline also kinds of data that an endpoint never had.

## Why it matters

Data must be adequate, relevant and limited to what its purpose needs (GDPR Art. 5(1)(c)); several privacy acts of US states
say the same in their own words, and some forbid collecting sensitive data that is not strictly necessary. What was never
collected cannot leak.

## Example

The shipping step posts `shipping_address.dateOfBirth`. A parcel needs a name and an address, not a birthday. For goods with
an age limit a yes or no from an age check is enough.

## What it cannot see

Whether the country, the carrier or the method of payment make a field necessary: such fields are never reported. Goods are known
only by what the record says of them or the configuration tells; a record that calls goods age-restricted is believed. What an
analytics library attaches to every event (`context.location`) says nothing about the step and is left to the other detectors.
Fields whose name and look tell nothing, values inside of free text other than e-mail addresses and card numbers, and parts that
could not be decoded.
"""

from detectors.assessment import Checkout, Law
from detectors.classify.need_files import Need
from detectors.classify.needs import Excess, NeedTable
from detectors.classify.taxonomy import Taxonomy
from detectors.drift import Appeared
from topics.flow import DataFlow, Role

_STRICTLY_NECESSARY = "necessary_only_no_sale"
"""The regime of sensitive data under which a mere possibility of need is not enough."""
_NOTHING_APPEARED = Appeared()
_UNPROVED = (
    "The law here allows sensitive data only where it is strictly necessary, and nothing on the record shows that it is.",
    "Leave it out, or have the need decided and written down.",
)
_APPEARED = (
    "This endpoint never had it while its baseline was learned.",
    "Leave it out, or review it and learn the baseline anew.",
)


def is_concerned(flow: DataFlow, needs: NeedTable) -> bool:
    """Tell whether a flow is part of a purchase: by its step, or because its recipient gets paid, delivers or taxes."""
    return bool(flow.step) or (flow.role is not Role.OWN and needs.is_part_of_a_purchase(flow.purpose))


def assess(
    flow: DataFlow, law: Law, needs: NeedTable, taxonomy: Taxonomy, appeared: Appeared = _NOTHING_APPEARED
) -> Checkout:
    """State what a flow got and does not need, and what appeared on its endpoint. Empty for flows outside of a purchase."""
    concerned = is_concerned(flow, needs)
    if not concerned and not appeared.categories:
        return Checkout()
    step, goods = flow.step.value, flow.goods
    fields = [field for field in flow.fields if not needs.is_ambient(field.path)]
    own = flow.role is Role.OWN
    excess: tuple[Excess, ...] = ()
    unproved: tuple[str, ...] = ()
    if concerned:
        excess, conditional = needs.assess(
            flow.step, flow.purpose, [field.category for field in fields], own=own, goods=goods
        )
        if law.sensitive == _STRICTLY_NECESSARY:
            named = {each.category for each in excess}
            unproved = tuple(
                each for each in conditional if each not in named and taxonomy.is_sensitive(each, law.jurisdiction)
            )
    if not excess and not unproved and not appeared.categories:
        return Checkout(step=step, goods=goods)
    evidence = [(each.category, each.reason, each.enough) for each in excess]
    evidence += [(each, *_UNPROVED) for each in unproved]
    evidence += [(each, *_APPEARED) for each in appeared.categories]
    told = {category for category, _, _ in evidence}
    unneeded = tuple(each.category for each in excess if each.kind is Need.UNNEEDED)
    return Checkout(
        step=step,
        goods=goods,
        unneeded=unneeded,
        early=tuple(each.category for each in excess if each.kind is Need.UNNEEDED and each.early),
        sensitive=tuple(each for each in unneeded if taxonomy.is_sensitive(each, law.jurisdiction)),
        prohibited=tuple(each.category for each in excess if each.kind is Need.PROHIBITED),
        undecided=tuple(each.category for each in excess if each.kind is Need.CONDITIONAL),
        unproved=unproved,
        appeared=appeared.categories,
        appeared_sensitive=tuple(each for each in appeared.categories if taxonomy.is_sensitive(each, law.jurisdiction)),
        endpoint=appeared.endpoint,
        paths=tuple(sorted({field.path for field in fields if field.category in told})),
        evidence=tuple(evidence),
    )
