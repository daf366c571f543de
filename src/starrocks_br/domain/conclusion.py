"""What a snapshot turned out to be: the second look and the repository's own list against the intent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import evolve, field, frozen

from starrocks_br.domain.backup_plan import newer_job
from starrocks_br.domain.diff import diff_partitions
from starrocks_br.domain.manifest import digest_of
from starrocks_br.domain.names import PartitionName, TableName, TableRef
from starrocks_br.domain.partitions import UNKNOWN, Identity, Observation, Partition, Partitioning, TableState
from starrocks_br.domain.snapshot import BackupType, Captured, Consistency, Entry

Contents = Mapping[TableName, frozenset[PartitionName]]


@frozen(kw_only=True)
class Looked:
    """What the look after the cut says of one snapshot.

    Attributes:
        entries: The entries with what the look taught: `after` identities and consistency.
        danger: Why the snapshot must never be a point; empty if it may be one.
        endangered: The tables because of which it must not, each with the reason.
    """

    entries: tuple[Entry, ...]
    danger: str = ""
    endangered: Mapping[TableRef, str] = field(factory=dict)


def look_again(
    entries: Sequence[Entry], before: Mapping[TableRef, Mapping[PartitionName, Identity]], after: Observation
) -> Looked:
    """Judge a snapshot by a look right after its cut.

    A temporary partition, or a partition that is gone or has other physical ids, means that an overwrite may have been
    in flight at the cut. The snapshot then holds ghosts of the overwritten partition, captured or not, which break the
    whole cluster once restored (O2§0.1).

    A partition that was born meanwhile may have been overwritten at the cut as well: its ids of then nobody knows. But
    days are born in busy tables all the time, so that this is a doubt (UNKNOWN), no danger; of a whole table the
    repository tells which were born before the cut (`settle_contents`).

    Args:
        entries: The intent.
        before: All identities of each table as the intent saw them.
        after: The second look.
    """
    judged, endangered = [], {}
    for entry in entries:
        state = after.tables.get(entry.table)
        danger = _danger(entry, before[entry.table], state, after.unreadable.get(entry.table, ""))
        if danger or state is None:
            endangered[entry.table] = danger
        else:
            judged.append(_judged(entry, before[entry.table], state))
    if endangered:
        table, danger = next(iter(endangered.items()))
        return Looked(entries=tuple(entries), danger=f"{table}: {danger}", endangered=endangered)
    return Looked(entries=tuple(judged))


def _danger(entry: Entry, before: Mapping[PartitionName, Identity], now: TableState | None, unreadable: str) -> str:
    if now is None or now.table_id != entry.table_id:
        return unreadable or "the table was dropped or replaced while it was being backed up"
    if now.fingerprint != entry.fingerprint or newer_job(now.schema_job, entry.schema_job):
        return "its schema changed while it was being backed up"
    return _haunted(before, now) if _in_job(entry) else ""


def _haunted(before: Mapping[PartitionName, Identity], now: TableState) -> str:
    if now.temporary:
        return f"temporary partitions stand right after the cut ({', '.join(sorted(now.temporary))})"
    for name, identity in before.items():
        if name not in now.partitions:
            return f"partition {name} was dropped while the table was being backed up"
        if _ids(identity) != _ids(now.partitions[name].identity):
            return f"partition {name} was replaced while the table was being backed up"
    return ""


def _ids(identity: Identity) -> frozenset[int]:
    return frozenset(number for number, _, _ in identity)


def _judged(entry: Entry, before: Mapping[PartitionName, Identity], state: TableState) -> Entry:
    captured = {name: evolve(part, after=state.partitions[name].identity) for name, part in entry.captured.items()}
    if entry.type is BackupType.FULL:
        return evolve(entry, captured=captured, consistency=Consistency.EXACT)
    now = state.identities()
    if captured and now.keys() - before.keys():
        return evolve(entry, captured=captured, consistency=Consistency.UNKNOWN)
    outside = diff_partitions(_without(before, captured), _without(now, captured))
    return evolve(entry, captured=captured, consistency=Consistency.FUZZY if outside.moved else Consistency.EXACT)


def _without(
    identities: Mapping[PartitionName, Identity], names: Mapping[PartitionName, Captured]
) -> dict[PartitionName, Identity]:
    return {name: identity for name, identity in identities.items() if name not in names}


def settle_contents(entries: Sequence[Entry], contents: Contents) -> tuple[tuple[Entry, ...], str]:
    """Hold the entries against what the repository says the snapshot holds.

    For a whole table the repository decides: a partition that was not seen before gets an unknown identity, so that it
    is captured again next time, and makes the consistency unknown: an overwrite of it may have been in flight.

    Returns:
        The entries as they are to be concluded, and the first difference that forbids it, or an empty text.
    """
    extra = contents.keys() - {entry.table.name for entry in entries if _in_job(entry)}
    if extra:
        return tuple(entries), f"the snapshot holds {', '.join(sorted(extra))}, which nobody asked for"
    settled = []
    for entry in entries:
        held = contents.get(entry.table.name)
        if not _in_job(entry):
            settled.append(entry)
        elif held is None or _lacks_its_one_partition(entry, held):
            return tuple(entries), f"the snapshot does not hold {entry.table}"
        elif entry.type is BackupType.FULL:
            settled.append(_as_held(entry, held))
        elif entry.type is BackupType.METADATA:
            settled.append(entry)
        elif held != entry.captured.keys():
            return tuple(entries), f"the snapshot holds other partitions of {entry.table} than were asked for"
        else:
            settled.append(entry)
    return tuple(settled), ""


def _lacks_its_one_partition(entry: Entry, held: Collection[PartitionName]) -> bool:
    """Whether a table that is not divided came without its rows: its partition cannot have been dropped."""
    undivided = entry.type is BackupType.FULL and entry.partitioning is Partitioning.NONE
    return undivided and bool(entry.captured) and not held


def _in_job(entry: Entry) -> bool:
    return entry.type is not BackupType.INCREMENTAL or bool(entry.captured)


def _as_held(entry: Entry, held: frozenset[PartitionName]) -> Entry:
    captured = {
        name: entry.captured.get(name) or Captured(partition=Partition(name=name, identity=UNKNOWN))
        for name in sorted(held)
    }
    digest = digest_of({name: part.partition.identity for name, part in captured.items()})
    born = held - entry.captured.keys()
    consistency = Consistency.UNKNOWN if born else entry.consistency
    return evolve(entry, captured=captured, digest=digest, consistency=consistency)
