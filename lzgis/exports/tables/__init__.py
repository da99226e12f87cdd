"""Exporters of workbooks."""
