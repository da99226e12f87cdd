"""Common parts as geometries: sites are overlaid with the part of a feature in a window around them."""
