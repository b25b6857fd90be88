"""PoseService: calls, streams, queues and the life of the server."""
