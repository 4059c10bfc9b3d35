"""What an invocation left, as clients read it: log, node results, events, artifacts."""
