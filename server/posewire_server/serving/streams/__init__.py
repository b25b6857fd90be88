"""A stream of frames."""
