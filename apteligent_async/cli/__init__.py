"""The command `apteligent`."""
