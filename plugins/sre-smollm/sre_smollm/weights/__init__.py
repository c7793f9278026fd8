"""Where weights come from, and how they become a folder that every network can read."""
