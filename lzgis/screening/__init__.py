"""Screening: every site against every rule in force on a day."""
