"""The online base map of 天地图, only with the user's own key.

Its tiles are in the Mercator projection of CGCS2000, so nothing is shifted. Amap and similar maps are not offered: their
tiles are shifted by some 500 m, and layers shifted to fit them would no longer be reliable.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import folium

from lzgis.errors import ExportError
from lzgis.messages import Message

_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
_SERVERS = "01234567"


class TiandituKey(NamedTuple):
    """A checked key. It can be read by everyone who has the file."""

    text: str

    @classmethod
    def checked(cls, given: str) -> TiandituKey:
        """Return a key; text that cannot be a key is refused, since it becomes part of an address.

        Examples
        --------
        >>> TiandituKey.checked("0123456789abcdef0123456789abcdef").hosts[0]
        'https://t0.tianditu.gov.cn'
        """
        if not _KEY.fullmatch(given):
            what = Message("is no key of Tianditu: those have 32 letters and digits")
            raise ExportError("tianditu_key", what, Message("copy it from your account there"))
        return cls(given)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers that the page loads tiles from."""
        return tuple(f"https://t{number}.tianditu.gov.cn" for number in _SERVERS)


def add_tianditu(leaflet_map: folium.Map, key: TiandituKey) -> list[folium.TileLayer]:
    """Add the base map and place names of 天地图, switched off at first."""
    layers = []
    for layer in ("vec", "cva"):
        address = (
            f"https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}"
            "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
            f"&tk={key.text}"
        )
        tiles = folium.TileLayer(
            address,
            attr="天地图",
            max_zoom=19,
            max_native_zoom=18,
            subdomains=_SERVERS,
            show=False,
            detect_retina=False,
        )
        tiles.add_to(leaflet_map)
        layers.append(tiles)
    return layers
