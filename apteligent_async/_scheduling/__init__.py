"""Which call may start now, and when to ask again: no clock, no dice, no I/O."""
