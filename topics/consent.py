"""What a person chose: the record of `privacy.consent.v1`."""

from collections.abc import Mapping

import msgspec

from topics.record import RawRecord, Reason, Rejected
from topics.subject import SubjectKey, hashes


class ConsentRecord(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=False, gc=False
):
    """One choice of one person at one moment, and its proof.

    The person is named by `subject` (a keyed hash) or by `ids`, which the ledger hashes and then forgets.
    """

    at_ms: int
    """When the person chose, milliseconds since the epoch."""
    subject: str = ""
    ids: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Identifiers by kind: user_id, anonymous_id, device_id, email."""
    granted: tuple[str, ...] = ()
    """Purposes or prefixes of purposes (`advertising` covers `advertising.targeted`) that were allowed."""
    refused: tuple[str, ...] = ()
    source: str = ""
    """What recorded it: `banner`, `preference-center`, `gpc`, `support`, `import`."""
    jurisdiction: str = ""
    banner_version: str = ""
    ip_country: str = ""
    signal_digest: str = ""
    """Digest of the consent string that was shown or sent, for later proof."""
    after_gpc_notice: bool = False
    """Granted after the person was told that their browser's signal conflicts (11 CCR 7025(c))."""


_DECODER = msgspec.json.Decoder(ConsentRecord)
_MAX_CONSENT_BYTES = 64 * 1024


def read(record: RawRecord, key: SubjectKey) -> tuple[tuple[str, ...], ConsentRecord] | Rejected:
    """Give the keyed hashes of the person and the choice, without the identifiers in clear. Never raises."""
    if not record.value:
        return Rejected(Reason.EMPTY)
    if len(record.value) > _MAX_CONSENT_BYTES:
        return Rejected(Reason.TOO_LARGE)
    choice = decode(record.value)
    if isinstance(choice, Rejected):
        return choice
    subjects = (choice.subject,) if choice.subject else hashes(key, choice.ids)
    if not subjects or choice.at_ms < 0 or not (choice.granted or choice.refused):
        return Rejected(Reason.SHAPE)
    return subjects, msgspec.structs.replace(choice, ids={}) if choice.ids else choice


def decode(value: bytes) -> ConsentRecord | Rejected:
    """Give what the bytes say, identifiers in clear included. Never raises."""
    try:
        return _DECODER.decode(value)
    except msgspec.ValidationError:
        return Rejected(Reason.SHAPE)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Rejected(Reason.SYNTAX)
    except RecursionError:
        return Rejected(Reason.TOO_DEEP)
