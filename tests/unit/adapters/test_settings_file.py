"""Settings out of a YAML file and the environment."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from starrocks_br.adapters.settings import Settings, Tls
from starrocks_br.adapters.settings_file import MAX_BYTES, discover, load
from starrocks_br.domain.errors import InvalidSettings

SEED = """\
host: localhost
port: 9030
user: root
password: secret
database: ops
tables:
  - db1.tableA
  - db2.tableB
repository: my_backup_repo
"""

WITHOUT_PASSWORD = SEED.replace("password: secret\n", "")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "config.yaml"


def _load(config: Path, text: str, **environ: str) -> Settings:
    config.write_text(text)
    return load(config, environ)


def _problems(config: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as caught:
        _load(config, text, **environ)
    assert str(config) in caught.value.what
    return caught.value.problems


def test_the_seed_reads_as_it_is_written(config: Path) -> None:
    """The file of the README."""
    assert _load(config, SEED) == Settings(
        host="localhost",
        port=9030,
        user="root",
        password="secret",
        database="ops",
        tables=["db1.tableA", "db2.tableB"],
        repository="my_backup_repo",
    )


def test_every_setting_can_be_given(config: Path, tmp_path: Path) -> None:
    """Paths are taken from where the file is."""
    (tmp_path / "ca.pem").write_text("x")
    made = _load(
        config,
        SEED
        + "job_timeout: 7200\npoll_interval: 0.5\nwait: 5\nmax_parallel_databases: 2\nreplication_num: 1\n"
        + "max_chain: 7\ntimezone: Europe/Berlin\ntls: {ca: ca.pem}\n",
    )

    assert (made.job_timeout, made.poll_interval, made.wait) == (7200, 0.5, 5.0)
    assert (made.max_parallel_databases, made.replication_num, made.max_chain) == (2, 1, 7)
    assert made.timezone == ZoneInfo("Europe/Berlin")
    assert made.tls == Tls(ca=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize("text", ["0123", "1e3", "yes", "null", "~", "2025-10-06", "0x10", "12:30:45", "''''"])
def test_scalars_are_text_until_we_say_otherwise(config: Path, text: str) -> None:
    """YAML would make numbers, dates and truths of them."""
    made = _load(config, SEED.replace("secret", text).replace("root", text))

    wanted = "'" if text == "''''" else text
    assert (made.password.reveal(), made.user) == (wanted, wanted)


def test_numbers_may_stand_in_quotes(config: Path) -> None:
    """They are read by us, not by YAML."""
    assert _load(config, SEED.replace("9030", "'9030'")).port == 9030


def test_utc_needs_no_time_zone_database(config: Path) -> None:
    """Small containers have none."""
    assert _load(config, SEED + "timezone: UTC\n").timezone is UTC


def test_all_problems_are_told_at_once_with_their_lines(config: Path) -> None:
    """Unknown, double, missing, ill-typed and forbidden ones."""
    text = SEED.replace("port: 9030", "port: lots").replace("user: root\n", "")
    text += "hots: x\nrepository: again\njob_timeout: 60\nwait: [1]\nzzzzzz: 1\ntimezone: Mars/Olympus\n"

    assert _problems(config, text) == (
        "line 9: hots: unknown; did you mean host?",
        "line 10: repository: it is there twice",
        "line 13: zzzzzz: unknown",
        "line 2: port: 'lots' is no whole number",
        "line 12: wait: it is no single value",
        "line 14: timezone: 'Mars/Olympus' is no time zone; write it as in Europe/Berlin",
        "user: it is missing",
        "job_timeout: 60 is not between 600 and 31536000",
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("9030", "-1", "line 2: port: '-1' is no whole number"),
        ("9030", "9_030", "line 2: port: '9_030' is no whole number"),
        ("9030", "٩٠٣٠", "line 2: port: '٩٠٣٠' is no whole number"),
        ("9030", "9" * 5000, f"line 2: port: '{'9' * 59} is no whole number"),
        ("9030", "", "line 2: port: it has no value"),
        ("9030", "0", "port: 0 is not between 1 and 65535"),
        ("root", "{a: b}", "line 3: user: it is no single value"),
        (
            "  - db1.tableA\n  - db2.tableB",
            "  db1.tableA",
            "line 7: tables: it is no list; write one `- db.table` per line",
        ),
        ("- db1.tableA", "- [x]", "line 7: tables: it is no single value"),
        ("- db1.tableA", "- x", "tables: 'x' does not name a table; write db.table or db.*"),
        ("my_backup_repo\n", "r\npoll_interval: -1\n", "line 10: poll_interval: '-1' is no number of seconds"),
        ("my_backup_repo\n", "r\npoll_interval: nan\n", "line 10: poll_interval: 'nan' is no number of seconds"),
        ("my_backup_repo\n", "r\ntls: yes\n", "line 10: tls: it is no list of `name: value` lines"),
        ("my_backup_repo\n", "r\ntls: {caa: x}\n", "line 10: tls.caa: unknown; did you mean ca?"),
    ],
)
def test_a_bad_value_is_named_with_its_line(config: Path, old: str, new: str, words: str) -> None:
    """And nothing else is complained of."""
    assert _problems(config, SEED.replace(old, new)) == (words,)


def test_tls_files_must_be_there(config: Path, tmp_path: Path) -> None:
    """The client library's own words would name no file."""
    problems = _problems(config, SEED + "tls:\n  ca: nope.pem\n  key: ''\n")

    assert problems == (
        f"line 11: tls.ca: there is no file {tmp_path / 'nope.pem'}",
        "line 12: tls.key: it has no value",
    )


def test_host_and_user_can_come_from_the_environment(config: Path) -> None:
    """They win over the file; empty variables count as not set."""
    environ = {"STARROCKS_BR_HOST": "fe1", "STARROCKS_BR_USER": "br"}

    made = _load(config, SEED.replace("host: localhost\n", ""), **environ)

    assert (made.host, made.user) == ("fe1", "br")
    assert _load(config, SEED, STARROCKS_BR_HOST="").host == "localhost"


def test_several_frontends_are_a_list(config: Path) -> None:
    """One of them is as good as the others."""
    made = _load(config, SEED.replace("localhost", "[fe1, fe2]") + "connect_timeout: 3\nread_timeout: 20\n")
    assert made.host == ("fe1", "fe2")
    assert (made.connect_timeout, made.read_timeout, made.reconnect_timeout) == (3, 20, 300.0)
    assert _problems(config, SEED.replace("localhost", "[fe1, [x]]")) == ("line 1: host: it is no single value",)


def test_the_environment_mends_a_bad_value_of_the_file_no_more_than_it_hides_it(config: Path) -> None:
    """What is written wrong is told, whoever wins."""
    problems = _problems(config, SEED.replace("localhost", "{a: b}"), STARROCKS_BR_HOST="fe1")

    assert problems == ("line 1: host: it is no single value",)


def test_the_password_can_come_from_a_file_beside_the_settings(config: Path, tmp_path: Path) -> None:
    """Without the line end that editors put there, with all else."""
    (tmp_path / "pw").write_text(" pass word \n")

    assert _load(config, WITHOUT_PASSWORD + "password_file: pw\n").password.reveal() == " pass word "


def test_the_password_can_come_from_the_environment(config: Path, tmp_path: Path) -> None:
    """As such, or as the name of a file, as containers like it."""
    path = tmp_path / "elsewhere"
    path.write_bytes(b"s3cret\r\n")

    assert _load(config, WITHOUT_PASSWORD, STARROCKS_BR_PASSWORD="s3cret").password.reveal() == "s3cret"
    assert _load(config, WITHOUT_PASSWORD, STARROCKS_BR_PASSWORD_FILE=str(path)).password.reveal() == "s3cret"


@pytest.mark.parametrize(
    ("text", "environ", "found"),
    [
        (WITHOUT_PASSWORD, {}, "found in none"),
        (WITHOUT_PASSWORD, {"STARROCKS_BR_PASSWORD": ""}, "found in none"),
        (SEED, {"STARROCKS_BR_PASSWORD": "x"}, "found in password and STARROCKS_BR_PASSWORD"),
        (SEED + "password_file: pw\n", {}, "found in password and password_file"),
        (
            WITHOUT_PASSWORD,
            {"STARROCKS_BR_PASSWORD": "x", "STARROCKS_BR_PASSWORD_FILE": "y"},
            "found in STARROCKS_BR_PASSWORD and STARROCKS_BR_PASSWORD_FILE",
        ),
    ],
)
def test_the_password_is_in_exactly_one_place(config: Path, text: str, environ: dict[str, str], found: str) -> None:
    """Two of them would leave it to chance which one is old."""
    (problem,) = _problems(config, text, **environ)

    assert problem.startswith("password: give it in exactly one of password, password_file, STARROCKS_BR_PASSWORD")
    assert problem.endswith(found)


def test_an_empty_password_is_written_in_quotes(config: Path) -> None:
    """No value at all is most often a slip."""
    assert _load(config, SEED.replace("secret", '""')).password.reveal() == ""
    assert _problems(config, SEED.replace("secret", "")) == ("line 4: password: it has no value",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\n", "is empty or too big for a password"),
        (b"x" * 5000, "is empty or too big for a password"),
        (b"\xff\xfe", "cannot be read: it is no UTF-8 text"),
    ],
)
def test_a_password_file_that_holds_no_password_is_told(
    config: Path, tmp_path: Path, content: bytes | None, words: str
) -> None:
    """By its path, never by its contents."""
    if content is not None:
        (tmp_path / "pw").write_bytes(content)

    assert _problems(config, WITHOUT_PASSWORD + "password_file: pw\n") == (
        f"line 9: password_file: {tmp_path / 'pw'} {words}",
    )
    (problem,) = _problems(config, WITHOUT_PASSWORD, STARROCKS_BR_PASSWORD_FILE=str(tmp_path / "pw"))
    assert problem.startswith("STARROCKS_BR_PASSWORD_FILE: ")


@pytest.mark.parametrize(
    "value", ["{hush: 1}", "[hush]", "*hush", "&hush x", "!hush x", "! hush", "'hush", "%hush", "@hush"]
)
def test_no_message_shows_a_password_however_it_is_written(config: Path, value: str) -> None:
    """YAML's own words would quote the line."""
    config.write_text(SEED.replace("secret", value))
    with pytest.raises(InvalidSettings) as caught:
        load(config, {})

    assert "hush" not in f"{caught.value!r} {caught.value} {caught.value.problems} {caught.value.__cause__}"
    assert "line " in caught.value.problems[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"# nothing\n", "it is empty"),
        (b"- a\n- b\n", "line 1: the file: it is no list of `name: value` lines"),
        (b"just words", "line 1: the file: it is no list of `name: value` lines"),
        (b"a: b: c", "line 1: it is no YAML; put quotes around values with special characters"),
        (b"a: 1\n---\nb: 2\n", "line 2: it is no YAML; put quotes around values with special characters"),
        (b"\xff\xfe\xff", "it is no YAML; put quotes around values with special characters"),
        (b"[" * 100_000, "line 1: it is nested too deeply"),
        (b"#" * (MAX_BYTES + 1), f"it has more than {MAX_BYTES} bytes"),
        (b"a: &x [1]\nb: *x\n", "line 1: put quotes around a value that begins with *, & or !"),
        (b"a: !!python/object/apply:os.system [ls]\n", "line 1: put quotes around a value that begins with *, & or !"),
    ],
)
def test_what_is_no_settings_file_is_refused_with_a_reason(config: Path, content: bytes, words: str) -> None:
    """Whatever it is: nothing of it is run, expanded or waited for."""
    config.write_bytes(content)
    with pytest.raises(InvalidSettings) as caught:
        load(config, {})

    assert caught.value.problems[0] == words


def test_keys_that_are_no_text_are_unknown(config: Path) -> None:
    """YAML allows lists as keys."""
    assert _problems(config, SEED + "? [x]\n: y\n")[0].startswith("line 10: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In the system's own words."""
    with pytest.raises(InvalidSettings) as caught:
        load(tmp_path / "nope.yaml", {})
    assert caught.value.problems == ("it cannot be read: No such file or directory",)


def test_the_file_is_found_by_option_then_variable_then_name(tmp_path: Path) -> None:
    """The first that there is."""
    here = tmp_path / "config.yaml"
    here.write_text("x")
    environ = {"STARROCKS_BR_CONFIG": "/elsewhere.yaml"}

    assert discover(environ, tmp_path, Path("/given.yaml")) == Path("/given.yaml")
    assert discover(environ, tmp_path) == Path("/elsewhere.yaml")
    assert discover({"STARROCKS_BR_CONFIG": ""}, tmp_path) == here


def test_without_any_file_the_ways_to_name_one_are_told(tmp_path: Path) -> None:
    """All three."""
    with pytest.raises(InvalidSettings) as caught:
        discover({}, tmp_path)
    (problem,) = caught.value.problems
    assert all(way in problem for way in ("--config", "STARROCKS_BR_CONFIG", str(tmp_path / "config.yaml")))
