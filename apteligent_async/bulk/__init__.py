"""Bulk pulls: what is wanted, in which units, with how few calls, and as which rows."""
