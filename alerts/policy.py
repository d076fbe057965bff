"""When an episode is over, and how often people are told: the configuration's word, and a rule's own above it. Pure."""

import msgspec

from topics.finding import Windows


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All in seconds."""

    quiet_seconds: float = 900.0
    """Nothing new for so long: the episode is quiet."""
    resolve_seconds: float = 86_400.0
    """Nothing new for so long: the episode is resolved."""
    reopen_seconds: float = 0.0
    """What comes within this time after it was resolved opens the same episode again; later, another one begins."""
    remind_seconds: float = 900.0
    """Grown since the last alert, and nobody was told for so long: tell."""
    warn_seconds: float = 172_800.0
    """A duty is due within this time: tell, once."""
    forget_seconds: float = 7 * 86_400.0
    """Resolved and nothing new for so long: the state may be dropped."""

    def under(self, windows: Windows | None) -> "Policy":
        """Give the policy of one rule's episodes: what the rule says itself stands above the configuration."""
        if windows is None:
            return self
        return msgspec.structs.replace(
            self,
            quiet_seconds=self.quiet_seconds if windows.quiet is None else windows.quiet,
            resolve_seconds=self.resolve_seconds if windows.resolve is None else windows.resolve,
            reopen_seconds=self.reopen_seconds if windows.reopen is None else windows.reopen,
            remind_seconds=self.remind_seconds if windows.update is None else windows.update,
        )
