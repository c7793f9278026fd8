"""The conformance kits: one class of tests for each kind of connector, for plugin authors to subclass."""
