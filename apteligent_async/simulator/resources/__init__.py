"""What each path of the service answers: one file per family, and one table of all of them in `routes`."""
