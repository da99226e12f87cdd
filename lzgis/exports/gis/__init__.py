"""Exporters for GIS and CAD programs."""
