"""Incremental backup, lineage and point-in-time restore for StarRocks, with SQL alone."""
