"""What the console's server sends leaves at once."""

import socket

from services.ui.no_delay import send_at_once


def test_a_connection_to_a_port_of_this_process_holds_nothing_back() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as port:
        port.bind(("127.0.0.1", 0))
        port.listen()
        send_at_once()
        with socket.create_connection(port.getsockname()), port.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
