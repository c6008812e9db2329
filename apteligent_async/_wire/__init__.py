"""Bytes to models and back: knows the API, knows no network."""
