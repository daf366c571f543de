"""The ports that talk SQL, on SQLAlchemy Core and one connection per command."""
