"""Several processes of the same server behind one address, and the parent that runs them."""
