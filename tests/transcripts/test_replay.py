"""The simulator answers as the recorded frontend did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcripts.recording import read
from tests.transcripts.replay import Replay
from tests.transcripts.scope import out_of_scope


def test_every_statement_in_scope_is_answered_as_recorded(
    transcript: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Success or error, errno, SQLSTATE and text, columns and rows, order of job states: all as recorded."""
    recording = read(transcript)
    left_out = out_of_scope(recording.name)
    replay = Replay(recording, tmp_path)
    replay.run()
    differences = [difference for difference in replay.differences if difference.line.number not in left_out]
    agreed = [number for number in replay.agreed if number not in left_out]
    played = len(replay.agreed) + len(replay.differences)
    with capsys.disabled():
        out = played - len(agreed) - len(differences)
        share = len(agreed) / played if played else 1.0
        print(f"\n{recording.name}: {len(agreed)} of {played} replay ({share:.0%}), {out} out of scope", end=" ")
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(map(str, differences))
