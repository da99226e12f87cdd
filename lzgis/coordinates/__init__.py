"""Reference systems: the plane of a city, zones, datums, shifted maps, where a file lies."""
