"""Who works on the queue: each worker's lease, what happens when one is lost, and what keeps the queue true."""
