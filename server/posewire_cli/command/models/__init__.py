"""`posewire models`: the model catalog and the cache directory."""
