"""Secrets with which somebody can act as a person, by their published formats."""

from detectors.classify.recognizers.recognizer import Recognizer

_SECRET = "user.authorization.credentials"  # noqa: S105 - the name of a category
_PROGRAM = "system.credentials"

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="authorization-header", has=" ", category=_SECRET, pattern=r"(?:Bearer|Basic|Digest) [A-Za-z0-9+/][A-Za-z0-9+/=_.~\-]{7,4096}", gate=r'"(?:Bearer|Basic|Digest) [A-Za-z0-9+/]', alone=0.8, hidden=True,
        keys=("authorization", "proxyauthorization"), finds=("Bearer abcdef0123456789", "Basic amFuZTpzZWNyZXQ="), spares=("Basic Plan", "Bearer")),
    Recognizer(name="stripe-secret-key", has="k_", category=_PROGRAM, pattern=r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,99}", gate=r"k_(?:live|test)_", alone=0.95, hidden=True, finds=("sk_test_" + "a1B2" * 6,), spares=("pk_test_" + "a1B2" * 6,)),
    Recognizer(name="github-token", has="gh", category=_PROGRAM, pattern=r"gh[pousr]_[0-9A-Za-z]{36,251}", gate=r"gh[pousr]_[0-9A-Za-z]{36}", alone=0.95, hidden=True, finds=("ghp_" + "a1B2" * 9,), spares=("ghp_short",)),
    Recognizer(name="aws-access-key", has="IA", category=_PROGRAM, pattern=r"(?:AKIA|ASIA)[0-9A-Z]{16}", gate=r"A[KS]IA[0-9A-Z]{16}", alone=0.85, hidden=True, finds=("AKIA" + "A1B2" * 4,), spares=("AKIASHORT",)),
    Recognizer(name="private-key", has="PRIVATE KEY", category=_PROGRAM, pattern=r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----[^\"]*", gate=r"PRIVATE KEY-----", alone=0.95, hidden=True, within=r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----",
        finds=("-----BEGIN PRIVATE KEY-----\nAAAA",), spares=("-----BEGIN PUBLIC KEY-----",)),
    Recognizer(name="password-hash", has="$", category=_SECRET, pattern=r"\$(?:2[aby]|argon2(?:id|i|d)|5|6|y)\$[A-Za-z0-9./+$,=\-]{20,200}", gate=r"\$(?:2[aby]|argon2|5|6|y)[$id]", alone=0.95, hidden=True,
        finds=("$2b$12$" + "abcdefghijklmnopqrstuv" * 2,), spares=("$2.50",)),
)  # fmt: skip
"""Tokens of the shop's own sessions need a telling name: they look like any identifier."""
