"""Whose frame is next, and how many may wait."""
