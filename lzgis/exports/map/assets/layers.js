// The layers of the city: drawn when first shown, each in its own pane, so that their order does not change.
(function (lz) {
  "use strict";
  var entries = [];

  function lookOf(spec, feature) {
    var entry = spec.entries[feature.properties.e];
    return entry ? entry.style : spec.style;
  }

  function drawStyle(spec, feature) {
    var s = lookOf(spec, feature);
    return {
      stroke: s.width > 0, color: s.stroke, weight: s.width, opacity: 1, dashArray: s.dash,
      fill: spec.kind !== "line" && Boolean(s.fill) || spec.kind === "point",
      fillColor: s.fill || s.stroke, fillOpacity: spec.kind === "point" ? 1 : s.opacity, lineCap: "butt"
    };
  }

  // The edge on both sides of a line, or the ribbon along the border of a zone, drawn below it.
  function under(spec, feature) {
    var s = lookOf(spec, feature);
    if (s.casing) return { stroke: true, color: s.casing, weight: s.width + 2, opacity: 1, fill: false };
    if (s.ribbon && spec.kind === "polygon") {
      return { stroke: true, color: s.stroke, weight: 2 * s.ribbon, opacity: 0.25, fill: false, lineCap: "butt" };
    }
    return null;
  }

  function featuresOf(entry) {
    if (!entry.features) entry.features = lz.featuresOf(entry.spec.topology);
    return entry.features;
  }

  // Draws the features of a layer into a pane of its own.
  function drawInto(spec, features, pane, order) {
    lz.map.createPane(pane).style.zIndex = order;
    lz.map.getPane(pane).style.pointerEvents = "none";
    var renderer = L.svg({ pane: pane, padding: 0.2 });
    var base = { pane: pane, renderer: renderer, interactive: false };
    var drawn = L.featureGroup();
    var below = features.filter(function (feature) { return under(spec, feature); });
    if (below.length) {
      L.geoJSON(below, Object.assign({ style: function (one) { return under(spec, one); } }, base)).addTo(drawn);
    }
    L.geoJSON(features, Object.assign({
      style: function (feature) { return drawStyle(spec, feature); },
      pointToLayer: function (feature, at) {
        return L.circleMarker(at, Object.assign({ radius: 4 }, base, drawStyle(spec, feature)));
      }
    }, base)).addTo(drawn);
    return drawn;
  }

  function draw(entry) {
    var pane = "lz-layer-" + entry.place;
    entry.drawn = drawInto(entry.spec, featuresOf(entry), pane, 300 + entry.place);
    names(entry, pane);
    lz.layers.opacity(lz.layers.faded);
  }

  function names(entry, pane) {
    entry.features.forEach(function (feature) {
      var p = feature.properties;
      if (!p.at || !p.t) return;
      var icon = L.divIcon({ className: "lz-place", html: lz.el("span", { class: "lz-data", text: p.t }), iconSize: [0, 0] });
      L.marker(p.at, { icon: icon, pane: pane, interactive: false, keyboard: false }).addTo(entry.drawn);
    });
  }

  function hits(entry, at, reach) {
    var lon = at.lng, lat = at.lat;
    return featuresOf(entry).filter(function (feature) {
      var hit = false;
      lz.eachPart(feature.geometry, function (type, xy) {
        if (hit) return;
        if (type === "Polygon") hit = lz.inRings(lon, lat, xy);
        else if (type === "LineString") hit = near(xy, at, reach);
        else hit = lz.map.latLngToLayerPoint([xy[1], xy[0]]).distanceTo(lz.map.latLngToLayerPoint(at)) <= reach;
      });
      return hit;
    });
  }

  function near(line, at, reach) {
    var p = lz.map.latLngToLayerPoint(at), last = null;
    return line.some(function (xy) {
      var point = lz.map.latLngToLayerPoint([xy[1], xy[0]]);
      var close = last !== null && L.LineUtil.pointToSegmentDistance(p, last, point) <= reach;
      last = point;
      return close;
    });
  }

  lz.layers = {
    all: entries,
    faded: 1,

    build: function (specs) {
      var levels = { outline: 3, context: 2, constraint: 1, zoning: 0 }, kinds = { polygon: 0, line: 1, point: 2 };
      var order = specs.map(function (spec, i) { return i; }).sort(function (a, b) {
        var one = specs[a], two = specs[b];
        if (one.role === "outline" || two.role === "outline") return levels[one.role] - levels[two.role] || a - b;
        return kinds[one.kind] - kinds[two.kind] || levels[one.role] - levels[two.role] || a - b;
      });
      specs.forEach(function (spec, i) {
        entries.push({ spec: spec, place: order.indexOf(i), drawn: null, features: null, shown: false, watch: [] });
      });
    },

    show: function (i, on) {
      var entry = entries[i];
      if (on === entry.shown) return;
      entry.shown = on;
      if (on && !entry.drawn) draw(entry);
      if (on) entry.drawn.addTo(lz.map); else entry.drawn.remove();
      entry.watch.forEach(function (listener) { listener(on); });
    },

    // A layer that is not in the legend, such as the former version of one.
    drawIn: function (spec, pane, order) {
      return drawInto(spec, lz.featuresOf(spec.topology), pane, order);
    },

    opacity: function (share) {
      lz.layers.faded = share;
      entries.forEach(function (entry) {
        var faded = entry.spec.kind === "polygon" && entry.spec.role !== "outline";
        if (entry.drawn && faded) lz.map.getPane("lz-layer-" + entry.place).style.opacity = share;
      });
    },

    // The features of all layers at a point, the topmost first; `on` is whether their layer is shown.
    identify: function (at) {
      var found = [];
      entries.forEach(function (entry, i) {
        if (entry.spec.role === "outline") return;
        hits(entry, at, 6).forEach(function (feature) {
          found.push({ spec: entry.spec, feature: feature, on: entry.shown, layer: i, place: entry.place });
        });
      });
      return found.sort(function (a, b) { return b.on - a.on || b.place - a.place; });
    },

    mask: function () {
      var rings = [[[-85, -179], [-85, 179], [85, 179], [85, -179]]], source = lz.city.outline;
      lz.featuresOf(source).forEach(function (feature) {
        lz.eachPart(feature.geometry, function (type, xy) {
          if (type === "Polygon") rings.push(xy[0].map(function (p) { return [p[1], p[0]]; }));
        });
      });
      if (rings.length === 1) return;
      lz.map.createPane("lz-mask").style.zIndex = 250;
      lz.map.getPane("lz-mask").style.pointerEvents = "none";
      L.polygon(rings, {
        pane: "lz-mask", renderer: L.svg({ pane: "lz-mask", padding: 1 }), interactive: false,
        stroke: false, fillColor: "#e3e7ea", fillOpacity: 0.72
      }).addTo(lz.map);
    }
  };
})(lzgis);
