"""The pure core: frozen values, and decisions over them. No I/O, clock, randomness or logging."""
