"""The sandbox: files are read in a separate process with limits on memory, time and network."""
