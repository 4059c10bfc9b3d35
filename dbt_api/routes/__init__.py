"""The HTTP routes: two doors to the same invocations."""
