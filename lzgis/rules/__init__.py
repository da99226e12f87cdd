"""Rules: books of dated rules, and the kinds of rule for sites and for layers."""
