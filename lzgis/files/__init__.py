"""Files on disk: locks, atomic writes, manifests, result folders."""
