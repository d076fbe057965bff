"""Hashed e-mail addresses and telephone numbers: still personal data, and made to match people by, under custom names too."""

from detectors.classify.recognizers.recognizer import Recognizer

_HASH = r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9_\-]{43}"

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="hashed-email", category="user.contact.email.hashed", pattern=_HASH, valid="hash", hidden=True,
        keys=("emailsha", "emailmd", "hem", "emailhash", "hashedemail", "emailhashed", "sha256email", "md5email", "sha1email", "emailsha256", "emailmd5", "emailsha1", "lowercaseemailhash", "uidhem"),
        finds=("ab" * 16, "0f" * 20, "c3" * 32), spares=("abc", "zz" * 16)),
    Recognizer(name="hashed-phone", category="user.contact.phone_number.hashed", pattern=_HASH, valid="hash", hidden=True,
        keys=("phonesha", "phonemd", "phonehash", "hashedphone", "phonehashed", "sha256phone", "md5phone", "phonesha256", "phonemd5", "phonesha1", "hashedphonenumber", "sha256phonenumber"),
        finds=("ab" * 16, "c3" * 32), spares=("abc",)),
)  # fmt: skip
"""MD5, SHA-1 and SHA-256, in hexadecimal or Base64. A hash under `email` or `phone` itself is told by the category of the name."""
