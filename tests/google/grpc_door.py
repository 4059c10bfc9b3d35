"""The control plane over gRPC, with google-cloud-container's own types on the wire."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_status import rpc_status

from tests.google.authority import Authority
from tests.google.control_plane import RPCS, ControlPlane
from tests.google.errors import Refusal
from tests.google.identities import Identities


def serve(plane: ControlPlane, identities: Identities, trust: Authority) -> tuple[grpc.Server, int]:
    """Start serving over TLS on a free port; returns the server and its port."""
    handlers = {rpc: _handler(plane, identities, rpc, request) for rpc, (request, _) in RPCS.items()}
    server = grpc.server(ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("google.container.v1.ClusterManager", handlers),)
    )
    pair = (trust.server_key.read_bytes(), trust.server.read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    return server, port


def _handler(plane: ControlPlane, identities: Identities, rpc: str, request_type: Any) -> grpc.RpcMethodHandler:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            identities.check(_authorization(context))
            return plane.call(rpc, request)
        except Refusal as refusal:
            context.abort_with_status(rpc_status.to_status(refusal.status()))

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request_type.deserialize, response_serializer=_serialized
    )


def _authorization(context: grpc.ServicerContext) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value.decode() if isinstance(value, bytes) else value
    return None


def _serialized(message: Any) -> bytes:
    if message is None:
        return b""
    data: bytes = type(message).serialize(message)
    return data
