"""How what a command has found is shown: in terminals, in files, as pictures, and to programs."""
