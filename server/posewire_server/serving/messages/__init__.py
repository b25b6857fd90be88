"""Messages and statuses on the wire."""
