"""The posewire server: images in, poses out, over gRPC."""
