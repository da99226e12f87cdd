"""The records that every room shares: rules, catalogue, sites, findings, reports."""
