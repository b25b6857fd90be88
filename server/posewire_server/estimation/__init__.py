"""From a frame's pixels to the poses in it."""
