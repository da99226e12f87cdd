"""One module per peer: the same work done by other tools, as their skilled users would."""
