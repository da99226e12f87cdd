"""What other Pythons run is not collected here."""

collect_ignore = ["in_qgis.py", "in_qt6.py", "in_pytest_qgis.py"]
