"""Ports as obligations: whoever says that he keeps one, keeps all of it."""

from __future__ import annotations

from typing import get_args

import pytest

from starrocks_br.domain import events, ports


@pytest.mark.parametrize(
    "port",
    [
        ports.SqlExecutor,
        ports.Cluster,
        ports.BackupHistory,
        ports.RestoreHistory,
        ports.Clock,
        ports.Tokens,
        ports.Listener,
    ],
)
def test_a_port_that_is_not_kept_cannot_be_made(port: type) -> None:
    """The error comes when it is made, not at three in the morning; and a port lends its implementations no state."""
    incomplete = type("Incomplete", (port,), {"__slots__": ()})
    with pytest.raises(TypeError, match="abstract method"):
        incomplete()
    assert vars(port)["__slots__"] == ()


def test_rows_show_their_number_and_not_their_values() -> None:
    """A result may hold a hundred thousand of them, and other people's data."""
    assert repr(ports.Rows(("a",), (("secret",), ("other",)), 2)) == "Rows(columns=('a',), rows=2, affected=2)"


def test_a_listener_may_be_told_of_every_event_there_is() -> None:
    """A class that is missing in the union would escape the type checker of whoever renders them."""
    classes = {value for value in vars(events).values() if getattr(value, "__module__", "") == events.__name__}
    assert {value for value in classes if isinstance(value, type)} == set(get_args(events.Progress))
