"""Version 1 of the protocol, generated from the ``.proto`` files beside this one.

Each ``.proto`` file is one module, and its messages are named only there::

    from posewire.v1 import image_pb2, pose_service_pb2, stream_pb2

``pose_service_pb2_grpc`` holds the stub and the servicer base class. Nothing is imported here, so
that a program that needs only the messages never loads gRPC.
"""
