"""From scores to a reply: sampling, grammars, skill calls, text."""
