"""A StarRocks frontend to run against: its protocol, its BACKUP and RESTORE, its metadata, with real rows."""
