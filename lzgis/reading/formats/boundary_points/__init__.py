"""界址点 text files."""
