"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: `quick` (the default), `ci`, and `long`, for a night."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

# A landing is judged by the same examples as the one before it; only the long run looks elsewhere each time.
settings.register_profile("quick", deadline=None, max_examples=60, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("ci", deadline=None, max_examples=200, derandomize=True, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, max_examples=3000, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A shell that runs the tests in the background has SIGINT ignored, and so would they: Ctrl-C could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
