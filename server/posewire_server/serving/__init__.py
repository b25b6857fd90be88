"""PoseService: calls, streams, queues and the lifecycle of the server."""
