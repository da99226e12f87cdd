// The sites and their conflicting parts.
(function (lz) {
  "use strict";
  var items = [], parts = [], sitesOn = true, partsOn = true, wanted = null, selected = -1, popup = null;
  var dark = ["#7f0000", "#8a4b00", "#5b4a8a"];
  var HATCH = "lz-hatch-";

  function hatch(id, colour, turn) {
    return lz.svg("pattern", { id: id, width: 6, height: 6, patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(" + turn + ")" }, [
      lz.svg("rect", { width: 6, height: 6, fill: colour, "fill-opacity": 0.22 }),
      lz.svg("path", { d: "M0 0V6", stroke: colour, "stroke-width": 3 })
    ]);
  }

  function patterns() {
    return lz.svg("svg", { width: 0, height: 0, class: "lz-patterns", "aria-hidden": "true" }, [
      lz.svg("defs", {}, [hatch(HATCH + 0, dark[0], 45), hatch(HATCH + 1, dark[1], -45)])
    ]);
  }

  function partStyle(rank, pane, renderer) {
    return {
      pane: pane, renderer: renderer, interactive: false, color: dark[rank], weight: rank === 2 ? 1.5 : 2, opacity: 1,
      dashArray: rank === 2 ? "3 3" : null, fill: rank !== 2, fillColor: "url(#" + HATCH + rank + ")", fillOpacity: 1
    };
  }

  function siteStyle(verdict, chosen) {
    return {
      color: lz.city.verdicts[verdict].colour, weight: chosen ? 4 : 2.5, opacity: 1, dashArray: lz.dash(verdict),
      fillColor: lz.city.verdicts[verdict].colour, fillOpacity: chosen ? 0.28 : 0.18
    };
  }

  function pane(name, order) {
    lz.map.createPane(name).style.zIndex = order;
    return name;
  }

  function makeMarker(site, number) {
    var icon = L.divIcon({ className: "lz-marker", html: lz.sign(site.verdict, 20), iconSize: [20, 20] });
    var marker = L.marker(site.spot, { icon: icon, pane: "lz-markers", keyboard: false,
      zIndexOffset: (4 - site.verdict) * 1000 });
    marker.on("click", function () { lz.sites.popup(number, site.spot); });
    return marker;
  }

  function makeShape(feature, site, number, renderer) {
    var shape = L.geoJSON(feature, {
      pane: "lz-sites", renderer: renderer, bubblingMouseEvents: false, style: siteStyle(site.verdict, false),
      pointToLayer: function (_, at) {
        return L.circleMarker(at, Object.assign({ pane: "lz-sites", renderer: renderer, radius: 6 },
          siteStyle(site.verdict, false)));
      }
    });
    shape.on("click", function (event) { lz.sites.popup(number, event.latlng); L.DomEvent.stop(event); });
    return shape;
  }

  function label(item) {
    var name = lz.el("span", { class: "lz-tip lz-data", text: item.site.name });
    [item.shape, item.marker].forEach(function (one) {
      if (one) one.bindTooltip(name.cloneNode(true), { direction: "top", offset: [0, -10], sticky: one === item.shape });
    });
  }

  // A marker replaces the shape of a site while it is too small to see.
  function signs() {
    items.forEach(function (item) {
      if (!item.marker || !item.bounds) return;
      var a = lz.map.latLngToLayerPoint(item.bounds.getNorthWest());
      var b = lz.map.latLngToLayerPoint(item.bounds.getSouthEast());
      item.small = Math.max(b.x - a.x, b.y - a.y) < 30;
      place(item, item.marker, visible(item) && item.small);
    });
  }

  function visible(item) { return sitesOn && (!wanted || wanted.has(item.number)); }

  function place(item, one, on) {
    if (!one || on === lz.map.hasLayer(one)) return;
    if (on) one.addTo(lz.map); else one.remove();
  }

  function refresh() {
    items.forEach(function (item) {
      place(item, item.shape, visible(item));
      place(item, item.marker, visible(item) && item.small);
    });
    parts.forEach(function (part) {
      place(part, part.shape, partsOn && (part.site < 0 || visible(items[part.site])));
    });
  }

  lz.sites = {
    build: function () {
      var data = lz.review, shapes = topojson.feature(data.shapes, data.shapes.objects.d).features;
      // In a comparison the parts are the areas lost and gained.
      if (lz.city.parts) dark = lz.city.parts.map(function (part) { return part.colour; });
      pane("lz-sites", 500); pane("lz-markers", 620);
      var lines = L.svg({ pane: "lz-sites", padding: 0.5 });
      // Prohibited parts are drawn above conditional ones.
      var hatched = dark.map(function (_, rank) {
        lz.map.getPane(pane("lz-parts-" + rank, 512 - rank)).style.pointerEvents = "none";
        return L.svg({ pane: "lz-parts-" + rank, padding: 0.5 });
      });
      data.sites.forEach(function (site, number) {
        var item = { site: site, number: number, shape: null, marker: null, bounds: null, small: true };
        if (site.shape >= 0) {
          item.shape = makeShape(shapes[site.shape], site, number, lines);
          item.marker = makeMarker(site, number);
          item.bounds = item.shape.getBounds();
          label(item);
        }
        items.push(item);
      });
      topojson.feature(data.parts, data.parts.objects.d).features.forEach(function (feature) {
        var rank = feature.properties.r, style = partStyle(rank, "lz-parts-" + rank, hatched[rank]);
        var shape = L.geoJSON(feature, { interactive: false, pane: style.pane, renderer: style.renderer, style: style,
          pointToLayer: function (_, at) { return L.circleMarker(at, Object.assign({}, style, { radius: 9, fill: false })); } });
        parts.push({ shape: shape, site: feature.properties.s });
      });
      refresh();
      lz.byId("lz-main").appendChild(patterns());
      lz.map.on("zoomend", signs);
      signs();
    },

    partSwatch: function (rank) {
      var style = partStyle(rank);
      return lz.svg("svg", { width: 22, height: 14, viewBox: "0 0 22 14", class: "lz-swatch", "aria-hidden": "true" }, [
        lz.svg("rect", { x: 1.5, y: 1.5, width: 19, height: 11, fill: style.fill ? style.fillColor : "none",
          stroke: style.color, "stroke-width": style.weight, "stroke-dasharray": style.dashArray })
      ]);
    },

    show: function (on) { sitesOn = on; refresh(); },
    showParts: function (on) { partsOn = on; refresh(); },
    only: function (numbers) { wanted = numbers; refresh(); },
    bounds: function () {
      return items.reduce(function (all, item) { return item.bounds ? all.extend(item.bounds) : all; }, L.latLngBounds([]));
    },

    select: function (number) {
      [selected, number].forEach(function (one) {
        var item = items[one];
        if (item && item.shape) item.shape.setStyle(siteStyle(item.site.verdict, one === number));
        var icon = item && item.marker && item.marker.getElement();
        if (icon) icon.classList.toggle("lz-chosen", one === number);
      });
      selected = number;
      lz.corridors.show(number);
    },

    zoom: function (number) {
      if (popup) popup.remove();
      if (items[number].bounds) lz.map.fitBounds(items[number].bounds.pad(0.25), Object.assign({ maxZoom: 16.5 }, lz.room()));
    },

    locate: function (finding) {
      if (popup && popup.isOpen()) popup.remove();
      if (finding[9] >= 0) lz.layers.show(finding[9], true);
      if (finding[8] >= 0) {
        var shape = parts[finding[8]].shape;
        lz.map.fitBounds(shape.getBounds().pad(0.6), Object.assign({ maxZoom: 18 }, lz.room()));
        shape.eachLayer(function (one) {
          var path = one.getElement();
          if (!path) return;
          path.classList.add("lz-flash");
          window.setTimeout(function () { path.classList.remove("lz-flash"); }, 1600);
        });
      } else if (finding[10] >= 0) {
        lz.map.fitBounds(lz.corridors.boundsOf(finding[10]).pad(0.6), Object.assign({ maxZoom: 18 }, lz.room()));
      }
    },

    popup: function (number, at) {
      var content = lz.el("div", { class: "lz-popup" }, [lz.heading(number, "h2"), lz.findings(number)]);
      popup = lz.popup(at, content, 380);
      lz.sites.select(number);
      lz.panel.mark(number);
    }
  };
})(lzgis);
