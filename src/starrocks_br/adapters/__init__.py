"""Implementations of the ports: the only code that meets the outside world."""
