"""What the histories in memory have of their own; the contract suites say the rest."""

from __future__ import annotations

from starrocks_br.adapters.memory import MemoryBackupHistory, MemoryRestoreHistory
from tests.contract.recorded import entry, journal, snapshot


def test_they_show_how_much_they_hold_never_what() -> None:
    """Contents can be long."""
    history = MemoryBackupHistory()
    history.record([entry(snapshot("l1"))])

    assert repr(history) == "MemoryBackupHistory(1 snapshots)"
    assert repr(MemoryRestoreHistory([journal("a1")])) == "MemoryRestoreHistory(1 restores)"


def test_journals_can_be_there_from_the_start() -> None:
    """As after a kill."""
    assert MemoryRestoreHistory([journal("a1")]).unfinished().sound == (journal("a1"),)
