"""The arguments of lzgis for what a user chose. Nothing of QGIS is imported here."""


def common(city="", as_of="", language=""):
    """Return the options that most commands have: the city's folder, the date of the rules, the language."""
    given = (("--layers", city), ("--as-of", as_of), ("--lang", language))
    return [part for name, value in given if value for part in (name, str(value))]


def screen(sites, out, formats=(), **options):
    """Return the arguments that screen a file of sites into a folder; the GeoPackage is always written."""
    chosen = dict.fromkeys(["gpkg", *formats])
    return ["screen", sites, "--out", out, *(part for one in chosen for part in ("--format", one)), *common(**options)]


def answer(sites, **options):
    """Return the arguments that print the report of a file of sites as JSON."""
    return ["screen", sites, "--json", *common(**options)]


def inspect(file, page, city="", language="", crs="", encoding="", layer=""):
    """Return the arguments that write the diagnosis of a file as a page."""
    given = (("--crs", crs), ("--encoding", encoding), ("--site-layer", layer))
    more = [part for name, value in given if value for part in (name, value)]
    return ["inspect", file, "--out", page, *more, *common(city, "", language)]


def audit(out, **options):
    """Return the arguments that check the layers of a city against each other."""
    return ["audit", "--out", out, *common(**options)]


def diff(old, new, out, report="", as_of_old="", as_of="", language=""):
    """Return the arguments that compare two cities, rule books or layers."""
    given = (("--report", report), ("--as-of-old", as_of_old))
    more = [part for name, value in given if value for part in (name, value)]
    return ["diff", old, new, "--out", out, *more, *common("", as_of, language)]


def avoid(site, sites, within_m, **options):
    """Return the arguments that print what remains of a site, and the shortest move that clears it, as JSON."""
    return ["avoid", site, "--sites", sites, "--within", str(within_m), "--json", *common(**options)]


def draw_map(sites, ids, out, paper="A4", orientation="landscape", formats=("pdf",), **options):
    """Return the arguments that draw maps on paper: one for each site, or one of all."""
    chosen = [part for one in formats for part in ("--format", one)]
    size = ["--paper", paper, "--orientation", orientation]
    return ["map", *ids, "--sites", sites, "--out", out, *size, *chosen, *common(**options)]


def surface(path, cell_m, activity="", **options):
    """Return the arguments that write all rules into one raster."""
    more = ["--activity", activity] if activity else []
    return ["raster", "surface", path, "--cell", str(cell_m), *more, *common(**options)]


def activities(city=""):
    """Return the arguments that list the activities of a rule book as JSON."""
    return ["rules", "activities", "--json", *common(city)]


def rules(city=""):
    """Return the arguments that list the rules in force as JSON."""
    return ["rules", "list", "--json", *common(city)]
