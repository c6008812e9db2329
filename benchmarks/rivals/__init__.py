"""Other people's packages under the same load: the real ones, in virtual time, in an environment of their own."""
