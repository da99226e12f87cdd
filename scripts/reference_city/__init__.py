"""The schematic reference city: invented layers inside the real outline of Lianzhou."""
