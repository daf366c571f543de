"""StarRocks behind the `Cluster` port: all vendor SQL, all reading of its answers, and the only quoting."""
