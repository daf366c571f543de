"""The commands: options in, one use case of the client, an `Outcome` out."""
