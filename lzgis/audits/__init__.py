"""Audit: layers against each other, versions against versions, reports against their sources."""
