"""What writes the generated part of the documentation; docs/write_docs.py is the command."""
