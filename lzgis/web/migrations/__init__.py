"""Migrations of the database of the page."""
