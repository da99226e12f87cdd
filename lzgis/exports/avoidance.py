"""An avoidance in words, as plain values, and as files: a picture and its shapes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from lzgis.exports.rounding import rounded_parts
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.screening.avoidance import Avoidance
from lzgis.words import Language, Words

if TYPE_CHECKING:
    from lzgis.city.catalogue import Catalogue


def avoidance_document(found: Avoidance) -> dict[str, Any]:
    """Return an avoidance as plain values; shapes are GeoJSON objects in longitude and latitude on CGCS2000."""
    shift = found.shift
    return {
        "site_id": found.site_id,
        "rules": [rule.id for rule in found.rules],
        "remaining_size": found.remaining_size,
        "remaining_share": None if math.isnan(found.remaining_share) else found.remaining_share,
        "remaining": None if found.remaining is None else json.loads(shapely.to_geojson(found.remaining)),
        "shift": None
        if shift is None
        else {
            "distance_m": shift.distance_m,
            "azimuth_deg": shift.azimuth_deg,
            "verdict": shift.verdict,
            "geometry": json.loads(shapely.to_geojson(shift.geometry)),
        },
    }


def _sizes(found: Avoidance) -> dict[str, str]:
    """Return what is forbidden, what remains, and the whole, rounded so that the first two sum to the third."""
    areal = found.before is not None and shapely.get_dimensions(found.before) == 2
    places, unit = (0, "㎡") if areal else (1, "m")
    lost, rest = rounded_parts((found.whole_size - found.remaining_size, found.remaining_size), places)
    sizes = {"lost": lost, "size": rest, "whole": lost + rest}
    printed = {name: f"{size + 0.0:,.{places}f} {unit}" for name, size in sizes.items()}
    return printed | {"share": f"{100 * found.remaining_share:.1f}"}


def avoidance_lines(found: Avoidance, within_m: float, words: Words) -> list[str]:
    """Return an avoidance as sentences; `within_m` is the longest move that was allowed."""
    obstacles = [words("avoid", "obstacle", rule=words.title(rule.title, rule.title_en)) for rule in found.rules]
    return [*obstacles, *_results(found, within_m, words)]


def _results(found: Avoidance, within_m: float, words: Words) -> list[str]:
    """Return the sentences on what remains and on the move."""
    shift = found.shift
    lines = []
    if found.whole_size > 0 and not math.isnan(found.remaining_share):
        lines.append(words("avoid", "remaining", **_sizes(found)))
    if shift is None:
        return [*lines, words("avoid", "none", site=found.site_id, within=f"{within_m:g}")]
    if shift.distance_m == 0:
        lines.append(words("avoid", "stays", site=found.site_id))
    else:
        distance, azimuth = f"{shift.distance_m:.2f}", f"{round(shift.azimuth_deg, 1) % 360:.1f}"
        lines.append(words("avoid", "moved", site=found.site_id, distance=distance, azimuth=azimuth))
    return [*lines, words("avoid", "verdict", verdict=words("verdict", shift.verdict))]


def write_avoidance(
    found: Avoidance, folder: str | Path, city: Catalogue, *, within_m: float = 500.0, language: Language = "zh"
) -> list[Path]:
    """Write a picture of an avoidance and its shapes (GeoJSON in ``avoid.json``) into a folder; return the files.

    `within_m` is the longest move that was allowed; the sentences below the picture state it.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    from lzgis.exports.avoidance_picture import avoidance_png

    picture, shapes = Path(folder) / "avoid.png", Path(folder) / "avoid.json"
    words = Words(language)
    titles = words("cli", "comma").join(words.title(rule.title, rule.title_en) for rule in found.rules)
    obstacles = [words("avoid", "obstacle", rule=titles)] if titles else []
    said = [*obstacles, *_results(found, within_m, words)]
    write_bytes_atomic(picture, avoidance_png(found, city, said, language=language))
    document = json.dumps(avoidance_document(found), ensure_ascii=False, allow_nan=False)
    write_bytes_atomic(shapes, document.encode("utf-8"))
    return [picture, shapes]
