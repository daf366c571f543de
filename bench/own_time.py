"""What we add to the server's own time, at its own tick of 3 s."""

from __future__ import annotations

import time

from attrs import define, field

from bench.cluster import cluster
from bench.figures import Figure
from starrocks_br.domain.events import JobEnded, JobSent, Progress

TICK = 3.0


@define
class Spans:
    """Adds up how long jobs ran as the listener saw it.

    Attributes:
        total: Seconds with at least one job under way.
        ended: When each job was seen to have ended.
    """

    total: float = 0.0
    ended: list[float] = field(factory=list)
    _began: float = field(default=0.0, init=False)
    _running: int = field(default=0, init=False)

    def __call__(self, progress: Progress, /) -> None:
        """Take note."""
        now = time.monotonic()
        if isinstance(progress, JobSent):
            self._began = self._began if self._running else now
            self._running += 1
        elif isinstance(progress, JobEnded):
            self._running -= 1
            self.ended.append(now)
            self.total += 0 if self._running else now - self._began


def figures() -> list[Figure]:
    """One backup of two databases and the metadata snapshot."""
    spans = Spans()
    with cluster(tick=TICK) as bench:
        for name in ("d1", "d2"):
            bench.sql(
                f"CREATE DATABASE {name}",
                f"CREATE TABLE {name}.t (id INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 1 "
                "PROPERTIES ('replication_num' = '1')",
                f"INSERT INTO {name}.t VALUES (1)",
            )
        with bench.client("d1.*", "d2.*", poll_interval=1.0, listener=spans) as client:
            began = time.monotonic()
            assert client.backup().complete
            wall = time.monotonic() - began
    return [
        Figure(what="wall time of a backup of two databases at the server's tick", value=round(wall, 2), unit="s"),
        Figure(what="of which ours, outside the server's jobs", value=round(wall - spans.total, 2), unit="s", limit=5),
    ]
