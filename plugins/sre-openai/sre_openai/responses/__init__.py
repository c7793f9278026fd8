"""Responses: our requests in their form, their streams in ours."""
