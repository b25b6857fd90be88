"""A frame from the call to its answer."""
