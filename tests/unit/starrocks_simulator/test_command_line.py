"""`starrocks-simulator` as a process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """It says where it listens, takes the password from a file, and ends cleanly with a client still connected."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    command = [sys.executable, "-m", "starrocks_simulator", "--port", "0", "--repository-dir", str(tmp_path / "r")]
    with subprocess.Popen(
        [*command, "--tick", "0.1", "--password-file", str(secret)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = re.fullmatch(r"ready on 127\.0\.0\.1:(\d+)\n", process.stdout.readline().decode())
        assert ready
        with pymysql.connect(host="127.0.0.1", port=int(ready[1]), user="root", password="s3cret") as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == ((1,),)
            process.send_signal(number)
            assert process.wait(10) == 0
        assert process.stderr.read() == b""
