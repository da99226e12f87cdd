"""The frozen records that all sub-packages share: rules, catalogue, sites, findings, reports."""
