"""What clients and servers of posewire share.

The wire contract has one subpackage for each version of the protocol. `address` is not generated.
"""
