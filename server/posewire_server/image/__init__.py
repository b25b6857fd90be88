"""Images as clients send them, checked and decoded to pixels."""
