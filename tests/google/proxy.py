"""The way to Google's names without a name server: an HTTP proxy that leads every CONNECT to them to the stand-in.

Whoever wants HTTP/2 (ALPN h2, so gRPC) gets the gRPC door, a cluster's DNS name its Kubernetes API, the rest REST.
Other hosts are reached as by any proxy.
"""

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

_ALPN_H2 = b"\x00\x03\x02h2"
_CLUSTERS = ".gke.goog"
_GOOGLE = ".googleapis.com"


class Proxy:
    """Listens on a free port of loopback."""

    def __init__(self, *, grpc_port: int, rest_port: int, cluster: "Callable[[], socket.socket]") -> None:
        self._ports = (grpc_port, rest_port)
        self._cluster = cluster
        self.hosts: list[str] = []
        """Every host that a CONNECT named."""
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def upstream(self, host: str, port: int, hello: bytes) -> socket.socket:
        """Where a connection goes, by the host it names and how its TLS begins."""
        if host.endswith(_CLUSTERS):
            return self._cluster()
        if not host.endswith(_GOOGLE):
            return socket.create_connection((host, port))
        grpc_port, rest_port = self._ports
        return socket.create_connection(("127.0.0.1", grpc_port if _ALPN_H2 in hello else rest_port))


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(StreamRequestHandler):
    proxy: Proxy
    rbufsize = 0

    def handle(self) -> None:
        words = self._head().split()
        if len(words) < 2 or words[0] != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = words[1].rpartition(":")
        self.proxy.hosts.append(host)
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError), self.proxy.upstream(host, int(port), self._hello()) as upstream:
            join(self.connection, upstream)

    def _hello(self) -> bytes:
        hello: bytes = self.connection.recv(4096, socket.MSG_PEEK)
        return hello

    def _head(self) -> str:
        head = b""
        while not head.endswith((b"\r\n\r\n", b"\n\n")) and (more := self.connection.recv(1)):
            head += more
        return head.decode(errors="replace").partition("\r\n")[0]


def join(one: socket.socket, other: socket.socket) -> None:
    """Copy both ways until both have said all."""
    back = threading.Thread(target=_pump, args=(other, one), daemon=True)
    back.start()
    _pump(one, other)
    back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class ClusterDoor:
    """A cluster's DNS endpoint: TLS with a certificate of our authority, then the real API server's own TLS."""

    def __init__(self, address: str, certificate: str, key: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = (host, int(port))
        self._outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._outside.load_cert_chain(certificate, key)
        self._inside = ssl.create_default_context()
        self._inside.check_hostname, self._inside.verify_mode = False, ssl.CERT_NONE

    def __call__(self) -> socket.socket:
        """A connection to give a client's bytes to."""
        near, far = socket.socketpair()
        threading.Thread(target=self._serve, args=(far,), daemon=True).start()
        return near

    def _serve(self, far: socket.socket) -> None:
        with suppress(OSError), socket.create_connection(self._address) as plain:
            client = self._outside.wrap_socket(far, server_side=True)
            with client, self._inside.wrap_socket(plain, server_hostname=self._address[0]) as server:
                _join_alone(client, server)


def _join_alone(one: ssl.SSLSocket, other: ssl.SSLSocket) -> None:
    """`join` for TLS: by one thread, since a TLS connection must not be read and written at the same time.

    Not every byte on the wire is content (session tickets are not), so reading never blocks.
    """
    opposite = {one: other, other: one}
    for each in opposite:
        each.setblocking(False)
    while True:
        ready = [each for each in opposite if each.pending()] or select.select(list(opposite), [], [])[0]
        for each in ready:
            with suppress(ssl.SSLWantReadError):
                data = each.recv(65536)
                if not data:
                    return
                opposite[each].setblocking(True)
                opposite[each].sendall(data)
                opposite[each].setblocking(False)
