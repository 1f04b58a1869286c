"""To the wire: rows as Zammad's objects."""
