"""No more is captured than changed, and no more is restored than the table holds."""

from __future__ import annotations

from bench.cluster import cluster
from bench.figures import Figure

PARTITIONS = 40
RUNS = 6


def figures() -> list[Figure]:
    """A range-partitioned table, a full backup, and incrementals after loads into a few partitions each."""
    with cluster() as bench:
        ranges = ", ".join(f"PARTITION p{number} VALUES LESS THAN ('{number + 1}')" for number in range(PARTITIONS))
        bench.sql(
            "CREATE DATABASE d",
            f"CREATE TABLE d.t (id INT, k INT) DUPLICATE KEY(id) PARTITION BY RANGE(k) ({ranges}) "
            "DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES ('replication_num' = '1')",
            f"INSERT INTO d.t VALUES {', '.join(f'({number}, {number % PARTITIONS})' for number in range(4000))}",
        )
        with bench.client("d.t") as client:
            client.backup()
            captured = changed = 0
            for run in range(1, RUNS):
                bench.sql(*(f"INSERT INTO d.t VALUES (1, {(run + step) % PARTITIONS})" for step in range(run)))
                changed += run
                client.backup()
                captured += client.points("d.t")[0].captured
            bench.sql("DROP TABLE d.t FORCE")
            plan = client.plan_restore("d.t", label=client.points("d.t")[0].label)
            everything = sum(outline.size or 0 for outline in client.points("d.t"))
    restored = sum(job.size or 0 for job in plan.jobs)
    at_the_point = sum(held.captured.partition.size or 0 for held in plan.manifest.held.values())
    return [
        Figure(what="partitions captured / partitions changed", value=captured / changed, limit=1.0),
        Figure(what="bytes restored / bytes of the table at the point", value=restored / at_the_point, limit=1.0),
        Figure(what="the same if every snapshot were replayed whole", value=everything / at_the_point),
    ]
