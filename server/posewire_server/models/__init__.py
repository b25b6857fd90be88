"""Models: catalog, downloads, conversion and reading of networks."""
