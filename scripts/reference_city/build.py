"""Build the whole reference city into a folder."""

from __future__ import annotations

from pathlib import Path

from . import places, store
from .answers import make_answers
from .check import check, measured
from .frame import Frame
from .landcover import write_land_cover
from .layers import Layers, Scene, make_layers
from .outline import read_neighbours, read_outline
from .plan_areas import make_areas
from .plan_objects import make_objects
from .plan_works import make_works
from .projects import make_projects, with_plan
from .relief import raise_relief, write_dem
from .sketch import Sketch
from .waters import lay_courses, reservoir_polygons, water_polygons
from .ways import lay_roads
from .zones import divide, draw_masks, trace
from .zoning import Terrain


def build(folder: Path) -> str:
    """Write every layer, the terrain and the figures; return the figures."""
    frame = Frame(read_outline(places.ADCODE))
    courses = lay_courses(frame)
    relief = raise_relief(frame, courses)
    terrain = Terrain.of(relief)
    wet = [a for _, a in water_polygons(courses)] + [a for _, a in reservoir_polygons(frame, courses)]
    zones = draw_masks(terrain, courses, frame.burn(wet, all_touched=True))
    trace(zones, frame)
    scene = Scene(frame, courses, lay_roads(terrain, courses), zones, divide(zones, frame))
    layers: Layers = make_layers(scene)
    sites = make_projects(scene, terrain, layers) + make_answers(scene, terrain, layers)
    sites = with_plan(sites, folder / "projects.csv")
    sketch = Sketch(scene, terrain, layers, sites)
    layers = {**layers, **make_areas(sketch), **make_objects(sketch)}
    layers |= make_works(Sketch(scene, terrain, layers, sites))
    check(scene, layers)
    figures = measured(scene, {**layers, "sites": sites})
    for name, features in {**layers, "sites": sites}.items():
        store.write_layer(folder, name, features)
    store.write_layer(folder, "neighbours", read_neighbours(places.ADCODE))
    write_dem(relief, folder / "dem.tif")
    figures = "\n".join([figures, "", *write_land_cover(frame, layers, folder)])
    store.refresh_hashes(folder / "catalog.toml")
    store.refresh_section(folder / "README.md", figures)
    return figures
