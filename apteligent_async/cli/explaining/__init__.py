"""`apteligent explain`: a log of events read as a story, and why each of its calls waited in people's words."""
