"""What is measured: the same work done by the runtime, by a bare HTTP client, and by peers."""
