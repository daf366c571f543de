"""The leader changes while a job runs: the command finds the new one and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from starrocks_simulator import dispatch
from starrocks_simulator.cursor import Cursor
from starrocks_simulator.faults import ConnectionCut
from starrocks_simulator.results import Result, strings
from starrocks_simulator.session import Session
from starrocks_simulator.wire import serve
from tests.support.virtual_cli import virtual_cli
from tests.support.world import World

COLUMNS = ("Id", "Name", "IP", "QueryPort", "Role", "ClusterId", "Alive")


@pytest.mark.parametrize("poll", [1, 3, 6])
def test_a_backup_survives_a_switch_of_the_leader(poll: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ports of one frontend stand for two frontends; the old leader's connections end, as its process does."""
    world = World(tmp_path / "cluster").ready("d1.t")
    with virtual_cli(world, tmp_path) as cli, serve(world.frontend) as other:
        ports = (int(cli.settings["port"]), other)
        leader = [ports[0]]
        told: list[int] = []

        def show_frontends(session: Session, cursor: Cursor) -> Result:
            cursor.end()
            told.append(leader[0])
            rows: list[tuple[object, ...]] = [
                (str(at), "n", "127.0.0.1", str(port), "LEADER" if port == leader[0] else "FOLLOWER",
                 str(session.frontend.cluster_id), "true")
                for at, port in enumerate(ports)
            ]  # fmt: skip
            return strings(COLUMNS, rows)

        def switch() -> None:
            leader[0] = other
            raise ConnectionCut

        monkeypatch.setitem(dispatch.STATEMENTS, ("SHOW", "FRONTENDS"), show_frontends)
        world.before("^SHOW BACKUP FROM", switch, nth=poll)
        ended = cli.run("backup", host=f"['127.0.0.1:{ports[0]}', '127.0.0.1:{other}']")
    assert ended.code == 0, ended.said
    assert told[0] == ports[0]
    assert told[-1] == other
    assert list(world.statuses().values()) == ["FINISHED"]
