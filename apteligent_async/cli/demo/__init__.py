"""`apteligent demo`: what it asks, keeps and draws, and what the run has cost."""
