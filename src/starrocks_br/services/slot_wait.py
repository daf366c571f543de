"""Waiting for a job slot that someone else holds."""

from __future__ import annotations

from attrs import define


@define(kw_only=True)
class SlotWait:
    """One database's wait. Times are this machine's, in seconds.

    Attributes:
        since: When the slot was first found taken.
        refused_at: When it was last.
        holder_shown: Whether SHOW named a job in it since then.
    """

    since: float
    refused_at: float = 0.0
    holder_shown: bool = False

    def refused(self, now: float) -> None:
        """The slot was found taken, again."""
        self.refused_at, self.holder_shown = now, False

    def lasted(self, now: float) -> float:
        """For how long it has been waited in all."""
        return now - self.since

    def hidden(self, now: float) -> bool:
        """Whether it was tried before, and no job was shown since."""
        return self.lasted(now) > 0 and not self.holder_shown

    def over(self, now: float, patience: float) -> bool:
        """Whether to try again, now that no job is shown; a last time once it was waited for so many seconds in all.

        At once if there was one: it ended. SHOW lists nothing of tables that the user may not see; a job that is never
        shown is asked about again once it was waited as long as before, for each attempt costs a label.
        """
        as_long_again = now - self.refused_at >= self.refused_at - self.since
        return self.holder_shown or as_long_again or self.lasted(now) >= patience
