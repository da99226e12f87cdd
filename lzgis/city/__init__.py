"""A city: a folder of layers and a book of rules, opened, measured and brought to its plane."""
