"""A city: a folder of layers with a rule book. Opening it, measuring its layers, projecting them to its plane."""
