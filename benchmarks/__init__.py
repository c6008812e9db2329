"""The proof kit: what the scheduler achieves, beside what theory allows and what others achieve."""
