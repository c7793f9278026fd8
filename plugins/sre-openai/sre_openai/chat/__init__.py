"""Chat completions: our requests in their form, their streams in ours."""
