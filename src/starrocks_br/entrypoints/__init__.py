"""The command line: options in, one use case, a rendering and an exit code out."""
