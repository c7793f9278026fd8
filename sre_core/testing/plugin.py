"""The pytest plugin that `sre-runtime[testing]` brings; it must import at once, for every pytest of its users."""

__all__: list[str] = []
