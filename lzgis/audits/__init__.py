"""Audits of layers, comparisons of versions, and checks of earlier reports and results."""
