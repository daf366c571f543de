"""One module per use case; each talks to the ports of `domain.ports` only."""
