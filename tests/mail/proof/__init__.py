"""Proof that mail is neither lost nor doubled, whatever falls on it."""
