"""Callbacks: a signed POST to the client's address when its invocation starts and when it ends."""
