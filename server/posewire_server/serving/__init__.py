"""PoseService: the calls of clients, and the server that answers them."""
