"""Async client for the Apteligent REST API v2."""
