"""Part of the reference application."""
