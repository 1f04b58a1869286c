"""The database backend for SQLite: Django's own, whose writers queue (see ``base``)."""
