# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Monitoring the redline
#
# The area of a redline must not shrink, and its land cover and functions are monitored too (面积、性质、功能). Land cover of two
# dates shows what was converted, and where. Cells must be counted correctly: a cell on the border counts with the share that
# lies inside, and each cell with its true area, because the cells of a degree grid become smaller towards the pole.
#
# The rasters on this page belong to the reference city and are **schematic**.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import rasterio
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from rasterio.plot import plotting_extent

import lzgis as lz

city = lz.open_catalogue(lz.reference_city())
pd.DataFrame(
    [(name, one.title_en, one.kind, one.date, one.status) for name, one in city.spec.raster.items()],
    columns=["raster", "title", "kind", "date", "status"],
)

# %%
late = city.spec.raster["landcover_2020"]
redline = city.load("redline").layer.frame

figure, axes = plt.subplots(figsize=(8, 7))
with rasterio.open(city.root / late.source) as source:
    colours = ListedColormap(["#ffffff"] + [late.classes[k].colour for k in sorted(late.classes)])
    axes.imshow(source.read(1), cmap=colours, vmin=0, vmax=6, extent=plotting_extent(source), interpolation="nearest")
redline.boundary.plot(ax=axes, color="#a80000", linewidth=0.8)
legend = [Patch(facecolor=c.colour, label=c.title_en) for c in late.classes.values()]
axes.legend(handles=[*legend, Patch(facecolor="none", edgecolor="#a80000", label="Redline")], loc="lower left", fontsize=8)
axes.set(title="Land cover of 2020; schematic data, not to be used for approval", xlabel="longitude", ylabel="latitude")
plt.show()

# %% [markdown]
# ## 1. What is inside?
#
# Zones are named as `layer.field`, here the functions of the redline. The shares of a zone sum to one. Cells without a value
# would have a row of their own.

# %%
stats = lz.raster_stats(city, "landcover_2020", by=["city.*", "redline.*", "redline.function", "protected_areas.reserve"])
shares = stats.composition.assign(zone=stats.composition["level"] + " " + stats.composition["zone_name"])
shares = shares.pivot_table(index="zone", columns="title_en", values="share", sort=False)
assert (shares.sum(axis=1) - 1).abs().max() < 1e-9
(shares * 100).round(2)

# %% [markdown]
# The plan declares 68.21 %. Its text calls the figure forest cover (森林覆盖率), its table of indicators forest-and-grass cover
# (林草覆盖率). Both are measured; only one of them matches.

# %%
pd.DataFrame(
    [(one.declared.basis, one.declared.value, round(one.measured, 6), "yes" if one.holds else "no") for one in stats.declared],
    columns=["declared by", "declared", "measured", "holds"],
)

# %% [markdown]
# ## 2. What has changed since 2015?
#
# The two rasters have the same grid. For different grids lzgis stops with an error that names the difference. It never
# resamples, because every method of resampling changes areas.

# %%
change = lz.raster_change(city, "landcover_2015", "landcover_2020", min_area_m2=400)
print("hectares inside the redline, 2015 down and 2020 across")
change.matrix().round(2)

# %%
by_function = change.converted[change.converted["level"] == "redline.function"]
by_function[["zone_name", "before", "after", "area_m2", "share"]].reset_index(drop=True).round({"area_m2": 0, "share": 6})

# %% [markdown]
# ## 3. Where has it changed?
#
# Adjacent cells with the same conversion form a patch, clipped to the redline, with its feature and its control unit. Patches
# below the minimum area are counted and summed.

# %%
print("patches left out:", change.dropped[0], "with", change.dropped[1], "m²")
change.patches.drop(columns=["geometry", "feature_id", "unit_id"]).round({"area_m2": 0})

# %%
english = {one.title: one.title_en for one in late.classes.values()}
colour = {one.title: one.colour for one in late.classes.values()}
figure, axes = plt.subplots(1, len(change.patches), figsize=(15, 4.2), layout="constrained")
for ax, patch in zip(axes, change.patches.itertuples(), strict=True):
    west, south, east, north = patch.geometry.bounds
    redline.plot(ax=ax, color="#fbe3e0", edgecolor="#a80000", linewidth=0.8)
    change.patches[change.patches["patch"] == patch.patch].plot(ax=ax, color=colour[patch.after], edgecolor="black")
    ax.set(xlim=(west - 0.006, east + 0.006), ylim=(south - 0.006, north + 0.006), xticks=[], yticks=[], xlabel="", ylabel="")
    ax.set_title(f"{patch.patch}: {english[patch.before]} → {english[patch.after]}\n{patch.area_m2 / 1e4:.2f} ha", fontsize=9)
figure.suptitle("Converted patches (colour: land cover now; pale red: the redline)")
plt.show()

# %% [markdown]
# In patch 1 grassland became forest. The others need a visit. Patch 4 reaches beyond the redline; only the part inside is
# counted. The results are written as a GeoPackage for QGIS and as a workbook:

# %%
print(change.write(Path("out") / "change.gpkg"))
print(lz.write_raster_xlsx(change, city, Path("out") / "change.xlsx"))

# %% [markdown]
# ## 4. What is too steep?
#
# Slopes are computed from the elevation raster, in the classes that plans use. Farmland and building land steeper than 25° is
# measured separately.

# %%
slope = lz.raster_stats(city, "dem", by=["city.*", "farmland.*", "town_boundary.*"])
table = slope.composition.pivot_table(index="zone_name", columns="title", values="share", sort=False)
print((table * 100).round(2).to_string(header=True).replace("zone_name", ""))
slope.limits.assign(hectares=slope.limits["steep_m2"] / 1e4)[["kind", "title_en", "hectares", "share"]].round(4)

# %% [markdown]
# ## 5. Where is there room?
#
# All rules of the book in one raster: a bit for each rule, the severity, and the distance to the nearest constraint. A cell is
# marked if a constraint touches any part of it. What could not be checked is listed.

# %%
surface = lz.raster_surface(city, Path("out") / "surface.tif", cell_m=100, as_of="2026-11-21")
for problem in surface.problems:
    print(problem)

# %%
distance = surface.distance_m()
figure, axes = plt.subplots(1, 2, figsize=(14, 6))
kinds = ListedColormap(["#ffffff", "#fdf3d0", "#f6b26b", "#b43c3c"])
axes[0].imshow(surface.severity(), cmap=kinds, vmin=0, vmax=3, interpolation="nearest")
names = ["a notice only", "a condition to meet", "prohibited unless excepted"]
axes[0].legend(handles=[Patch(facecolor=kinds(k), label=name) for k, name in enumerate(names, 1)], loc="lower right")
shown = axes[1].imshow(distance, cmap="viridis")
figure.colorbar(shown, ax=axes[1], label="metres to a prohibition", shrink=0.8)
for ax in axes:
    ax.set_axis_off()
figure.suptitle("Without an activity; rules for certain activities only count as notices. Schematic data.")
plt.show()

# %% [markdown]
# For a given activity, the exceptions of the law apply:

# %%
water = lz.raster_surface(city, Path("out") / "water.tif", cell_m=100, as_of="2026-11-21", activity="water-supply")
for name, one in (("any project", surface), ("water supply", water)):
    severity = one.severity()
    print(f"{name}: {100 * (severity == 3).sum() / (severity >= 0).sum():.1f} % of the cells hold a prohibition")
