"""The wire contract of posewire: one subpackage for each version of the protocol."""
