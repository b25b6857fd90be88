"""Sockets, TLS and gRPC."""
