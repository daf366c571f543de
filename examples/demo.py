"""The main job, played over the wire against the simulator, and proven by comparing rows.

Run by `make demo`. Prints what it does as a person would type it; the exit code tells whether every comparison held.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import MySQLdb

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]

TICK = "0.15"
CREATE_REPOSITORY = (
    "CREATE REPOSITORY backups WITH BROKER ON LOCATION 's3://demo/backups' PROPERTIES ('aws.s3.region' = 'local')"
)
SCHEMA = (
    "CREATE DATABASE sales",
    "CREATE DATABASE crm",
    """CREATE TABLE sales.orders (id BIGINT, day DATE, customer BIGINT, cents BIGINT) DUPLICATE KEY(id)
       PARTITION BY RANGE(day) (PARTITION p1 VALUES LESS THAN ('2026-09-02'),
       PARTITION p2 VALUES LESS THAN ('2026-09-03'), PARTITION p3 VALUES LESS THAN ('2026-09-04'))
       DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')""",
    """CREATE TABLE sales.clicks (at DATETIME, page VARCHAR(64)) DUPLICATE KEY(at) PARTITION BY date_trunc('day', at)
       DISTRIBUTED BY HASH(at) BUCKETS 2 PROPERTIES ('replication_num' = '1')""",
    """CREATE TABLE crm.contacts (id BIGINT NOT NULL, country VARCHAR(8) NOT NULL, name VARCHAR(64)) DUPLICATE KEY(id)
       PARTITION BY LIST(country) (PARTITION de VALUES IN ('de'), PARTITION fr VALUES IN ('fr'))
       DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')""",
    """CREATE TABLE crm.accounts (id BIGINT NOT NULL, name VARCHAR(64), balance BIGINT) PRIMARY KEY(id)
       DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES ('replication_num' = '1')""",
)
TABLES = ("sales.orders", "sales.clicks", "crm.contacts", "crm.accounts")
CHANGES = (
    "INSERT INTO sales.orders VALUES (900001, '2026-09-03', 7, 4200)",
    "TRUNCATE TABLE sales.orders PARTITION (p1)",
    "ALTER TABLE sales.orders ADD PARTITION p4 VALUES LESS THAN ('2026-09-05')",
    "INSERT INTO sales.orders VALUES (900002, '2026-09-04', 8, 100), (900003, '2026-09-04', 9, 200)",
    "INSERT INTO sales.clicks VALUES ('2026-09-05 10:00:00', '/new-day')",
    "ALTER TABLE crm.contacts ADD PARTITION it VALUES IN ('it')",
    "INSERT INTO crm.contacts VALUES (900001, 'it', 'Giulia')",
    "ALTER TABLE crm.contacts DROP PARTITION fr",
    "INSERT OVERWRITE crm.accounts SELECT id, name, balance * 2 FROM crm.accounts WHERE id <= 100",
)


def main() -> int:
    """Play the whole story. Returns the exit code."""
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="starrocks-br-demo-"))
    proofs = Proofs()
    try:
        with simulator(home) as port:
            points = first_cluster(home, port, proofs)
        say("The cluster is gone. All that is left is the repository. A new, empty cluster starts on it.")
        with simulator(home) as port:
            second_cluster(home, port, proofs, *points)
    finally:
        shutil.rmtree(home)
    say(f"Done in {time.monotonic() - began:.0f} seconds.")
    return proofs.summary()


def first_cluster(home: Path, port: int, proofs: Proofs) -> tuple[str, Tables, str, Tables]:
    """Fill, back up, change, back up, lose, restore."""
    client = Client(home, port)
    say("Two databases, four kinds of table, some ten thousand rows.")
    client.sql(CREATE_REPOSITORY)
    for statement in SCHEMA:
        client.sql(statement)
    fill(client)
    client.run("init")
    client.run("backup")
    middle_rows = client.rows(TABLES)
    middle = client.newest_point("sales.orders")

    say("Life goes on: loads, a truncate, an overwrite, partitions added and dropped.")
    for statement in CHANGES:
        client.sql(statement, show=True)
    client.run("backup", "--dry-run")
    client.run("backup")
    last_rows = client.rows(TABLES)
    last = client.newest_point("sales.orders")
    client.run("list", "--table", "sales.orders")

    say("Somebody drops a table.")
    client.sql("DROP TABLE sales.orders FORCE", show=True)
    client.run("restore", "--table", "sales.orders", "--timestamp", middle, "--yes")
    proofs.equal("sales.orders as it was in the middle", client.rows(["sales.orders"]), middle_rows)
    client.sql("DROP TABLE sales.orders FORCE", show=True)
    client.run("restore", "--table", "sales.orders", "--timestamp", last, "--yes")
    proofs.equal("sales.orders as it was at the last point", client.rows(["sales.orders"]), last_rows)
    return middle, middle_rows, last, last_rows


def second_cluster(
    home: Path, port: int, proofs: Proofs, middle: str, middle_rows: Tables, last: str, last_rows: Tables
) -> None:
    """Start from the repository alone."""
    client = Client(home, port)
    client.sql(CREATE_REPOSITORY, show=True)
    client.run("bootstrap", "--yes")
    for table in TABLES:
        client.run("restore", "--table", table, "--timestamp", last, "--yes")
    proofs.equal("all four tables on the new cluster", client.rows(TABLES), last_rows)
    client.sql("DROP TABLE crm.contacts FORCE", show=True)
    client.run("restore", "--table", "crm.contacts", "--timestamp", middle, "--yes")
    proofs.equal("crm.contacts as it was in the middle", client.rows(["crm.contacts"]), middle_rows)
    client.run("backup")


def fill(client: Client) -> None:
    """Some ten thousand rows."""
    client.insert(
        "sales.orders",
        [(number, f"2026-09-0{1 + number % 3}", number % 97, number * 31 % 10_000) for number in range(4000)],
    )
    client.insert(
        "sales.clicks",
        [(f"2026-09-0{1 + number % 4} {number % 24:02}:00:00", f"/page/{number}") for number in range(3000)],
    )
    client.insert(
        "crm.contacts", [(number, "de" if number % 2 else "fr", f"Contact {number}") for number in range(2000)]
    )
    client.insert("crm.accounts", [(number, f"Account {number}", number * 7) for number in range(2000)])


class Client:
    """A person with two tools: `starrocks-br` and a MySQL client.

    Args:
        home: Where the configuration lies.
        port: Of the frontend.
    """

    def __init__(self, home: Path, port: int) -> None:
        self._port = port
        self._config = home / "config.yaml"
        self._config.write_text(
            f"host: 127.0.0.1\nport: {port}\nuser: root\npassword: ''\ndatabase: ops\nrepository: backups\n"
            "poll_interval: 0.2\ntables:\n  - sales.*\n  - crm.*\n"
        )

    def run(self, *arguments: str) -> str:
        """Type a command and show what it prints."""
        print(f"\n$ starrocks-br {shlex.join(arguments)}", flush=True)
        return self._command(*arguments, capture=False)

    def _command(self, *arguments: str, capture: bool) -> str:
        command, *rest = arguments
        line = [sys.executable, "-m", "starrocks_br", command, "--config", str(self._config), *rest]
        done = subprocess.run(line, check=False, text=True, stdout=subprocess.PIPE if capture else None)  # noqa: S603
        if done.returncode:
            raise SystemExit(f"starrocks-br {command} ended with exit code {done.returncode}")
        return done.stdout or ""

    def newest_point(self, table: str) -> str:
        """What `list` shows as the newest point of a table."""
        document = json.loads(self._command("list", "--json", "--table", table, capture=True))
        return str(next(entry["point"] for entry in document["result"]["entries"] if entry["restorable"]))

    def sql(self, statement: str, *, show: bool = False) -> list[Row]:
        """Send one statement."""
        if show:
            print(f"mysql> {statement};", flush=True)
        connection = MySQLdb.connect(host="127.0.0.1", port=self._port, user="root")
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            connection.close()

    def insert(self, table: str, rows: list[Row]) -> None:
        """Load rows, a thousand at a time."""
        for start in range(0, len(rows), 1000):
            values = ", ".join(str(row) for row in rows[start : start + 1000])
            self.sql(f"INSERT INTO {table} VALUES {values}")

    def rows(self, tables: list[str] | tuple[str, ...]) -> Tables:
        """Every row of some tables, sorted."""
        return {table: sorted(self.sql(f"SELECT * FROM {table}")) for table in tables}


class Proofs:
    """Comparisons of rows, and whether they held."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._failed: list[str] = []

    def equal(self, what: str, found: Tables, wanted: Tables) -> None:
        """Compare every row of every table that was found."""
        same = all(found[table] == wanted[table] for table in found)
        count = sum(len(rows) for rows in found.values())
        (self._held if same else self._failed).append(f"{what}: {count} rows")
        say(f"{'EQUAL' if same else 'DIFFERENT'}: {what}, {count} rows compared one by one.")

    def summary(self) -> int:
        """Say what was proven. Returns the exit code."""
        for line in self._held:
            print(f"  proven   {line}")
        for line in self._failed:
            print(f"  REFUTED  {line}")
        return 1 if self._failed else 0


@contextmanager
def simulator(home: Path) -> Iterator[int]:
    """A StarRocks frontend on a free port, with its repositories under `home`. Yields the port."""
    line = [sys.executable, "-m", "starrocks_simulator", "--port", "0", "--tick", TICK]
    line += ["--repository-dir", str(home / "object-store")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None, "stdout is a pipe"  # noqa: S101
            ready = process.stdout.readline()
            if not ready.startswith("ready on "):
                raise SystemExit("the simulator did not start")
            yield int(ready.rpartition(":")[2])
        finally:
            process.terminate()


def say(text: str) -> None:
    """Tell the story."""
    print(f"\n# {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
