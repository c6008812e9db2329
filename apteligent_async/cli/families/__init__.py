"""The commands that show what the service knows, a file for each family of the API.

Each finds a `View` with an `Asker`; all of what is asked and shown alike is in the modules beside this folder.
"""
