"""The simulator answers as the recorded frontend did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcripts.recording import read
from tests.transcripts.replay import Replay
from tests.transcripts.scope import scope_of


def test_every_statement_in_scope_is_answered_as_recorded(
    transcript: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Success or error, errno, SQLSTATE and text, columns and rows, order of job states: all as recorded."""
    recording = read(transcript)
    replay = Replay(recording, tmp_path, scope_of(recording.name))
    replay.run()
    agreed, out, differences = len(replay.agreed), len(replay.left_out), replay.differences
    everything = agreed + out + len(differences)
    with capsys.disabled():
        share = agreed / everything if everything else 1.0
        print(f"\n{recording.name}: {agreed} of {everything} replay ({share:.0%}), {out} out of scope", end=" ")
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(map(str, differences))
