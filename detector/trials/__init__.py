"""Trials of the gate on the user's own rows: what it sees, misses and cries about."""
