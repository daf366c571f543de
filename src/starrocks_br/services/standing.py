"""What stands where a restore goes, once `run` has closed what a kill left there: a plan must hold until then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from starrocks_br.domain.journal import Journal
from starrocks_br.domain.names import DatabaseName, TableName, TableRef
from starrocks_br.domain.ports import Ports
from starrocks_br.domain.restore_plan import A_TABLE
from starrocks_br.domain.server import Server
from starrocks_br.domain.taking_back import once_closed
from starrocks_br.services.journals import informed


@frozen(kw_only=True)
class Standing:
    """What stands where.

    Attributes:
        objects: Of each database the names in it, each with the server's word for what bears it; None: there is none.
        ids: The server's id of each table that bears one of the names that were asked for.
    """

    objects: Mapping[DatabaseName, Mapping[TableName, str] | None]
    ids: Mapping[TableRef, int]


def standing(ports: Ports, server: Server, names: Collection[TableRef]) -> Standing:
    """See what bears these names now, and will in a moment; statements per database and open journal, not per name.

    Raises:
        ClusterError: The cluster does not tell.
    """
    objects = {database: ports.cluster.objects(database) for database in sorted({one.database for one in names})}
    leftovers = [informed(ports, one) for one in ports.restores.unfinished().sound if one.cluster == server.cluster]
    taken = {one for one in names if one.name in (objects[one.database] or {})}
    now = ports.cluster.table_ids(taken.union(*(journal.names for journal in leftovers)))
    then = now
    for journal in leftovers:
        then = once_closed(journal, then)
    return Standing(
        objects={
            database: None if there is None else _then(database, there, now, then, leftovers)
            for database, there in objects.items()
        },
        ids=then,
    )


def _then(
    database: DatabaseName,
    there: Mapping[TableName, str],
    now: Mapping[TableRef, int],
    then: Mapping[TableRef, int],
    leftovers: Sequence[Journal],
) -> Mapping[TableName, str] | None:
    gone = {table.name for table in now.keys() - then.keys() if table.database == database}
    come = {table.name: A_TABLE for table in then.keys() - now.keys() if table.database == database}
    left = {name: kind for name, kind in there.items() if name not in gone} | come
    made = any(one.new_database and one.target.database == database for one in leftovers)
    return None if made and not left else left
