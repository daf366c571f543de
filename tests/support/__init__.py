"""What several test suites share: a whole StarRocks world in one process, on virtual time."""
