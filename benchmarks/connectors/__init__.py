"""Each outside connector against its bare client library, on the same server in the same run."""
