"""Commands that the plugin adds to `sre`."""
