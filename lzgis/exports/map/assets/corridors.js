// Corridor bands around the opened site, and lines to the features that distances were measured to.
(function (lz) {
  "use strict";
  var features = null, drawn = null, labels = [], widths = [], on = true, current = -1, panes = false;
  var looks = [
    { color: "#0f6b5c", weight: 1.6, opacity: 1, dashArray: null, fillColor: "#18a08a", fillOpacity: 0.16 },
    { color: "#0f6b5c", weight: 1.4, opacity: 0.9, dashArray: "5 4", fillColor: "#7fd0c2", fillOpacity: 0.12 }
  ];
  var LEAST_PX = 4;
  var LINE = { color: "#8e0b5e", weight: 2.5, opacity: 1, dashArray: "1 5", lineCap: "round" };

  function prepare() {
    if (panes) return;
    panes = true;
    [["lz-bands", 450], ["lz-lines", 560], ["lz-tags", 630]].forEach(function (one) {
      lz.map.createPane(one[0]).style.zIndex = one[1];
      lz.map.getPane(one[0]).style.pointerEvents = "none";
    });
    lz.map.on("moveend", settle);
    features = lz.featuresOf(lz.review.bands);
  }

  function tag(at, text, kind) {
    var icon = L.divIcon({ className: "lz-tag-spot", iconSize: [0, 0],
      html: lz.el("span", { class: "lz-map-tag lz-data " + kind, text: text }) });
    return L.marker(at, { icon: icon, pane: "lz-tags", interactive: false, keyboard: false });
  }

  // A label beyond the far end of its line covers neither the line nor the site.
  function beyond(marker, line) {
    var dx = (line[1][1] - line[0][1]) * Math.cos(line[0][0] * Math.PI / 180), dy = line[0][0] - line[1][0];
    var size = Math.hypot(dx, dy) || 1;
    marker.options.icon.options.html.style.transform = "translate(" + (-50 + 58 * dx / size) + "%," +
      "calc(-50% + " + (20 * dy / size).toFixed(1) + "px))";
    return marker;
  }

  // If the far end of a line is outside the view, its label is placed where the line leaves the view.
  function settle() {
    var size = lz.map.getSize(), room = lz.room();
    var seen = L.bounds([room.paddingTopLeft[0] + 90, 40], [size.x - room.paddingBottomRight[0] - 90, size.y - 60]);
    labels.forEach(function (label) {
      var a = lz.map.latLngToContainerPoint(label.line[0]), b = lz.map.latLngToContainerPoint(label.line[1]);
      var at = b;
      for (var t = 1; t > 0 && !seen.contains(at); t -= 0.01) at = L.point(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y));
      label.marker.setLatLng(seen.contains(at) ? lz.map.containerPointToLatLng(at) : label.line[1]);
    });
    spread();
  }

  function overlap(a, b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  }

  // A band that is too narrow to be seen has no label.
  function narrow() {
    var centre = lz.map.getCenter(), at = lz.map.latLngToContainerPoint(centre);
    var metres = lz.map.distance(centre, lz.map.containerPointToLatLng(at.add([0, 100]))) / 100;
    widths.forEach(function (marker) {
      marker.options.icon.options.html.style.display = marker.metres / metres < LEAST_PX ? "none" : "";
    });
  }

  // Labels are moved up or down off each other, and off a site so small that a label would hide it.
  function spread() {
    narrow();
    var taken = [], own = current >= 0 && lz.sites.boundsOf(current);
    if (own) {
      var frame = lz.map.getContainer().getBoundingClientRect();
      var a = lz.map.latLngToContainerPoint(own.getNorthWest()), b = lz.map.latLngToContainerPoint(own.getSouthEast());
      if (b.x - a.x < 240 && b.y - a.y < 240) taken.push({ left: frame.left + a.x, right: frame.left + b.x,
        top: frame.top + a.y, bottom: frame.top + b.y });
    }
    labels.map(function (label) { return label.marker; }).concat(widths).forEach(function (marker) {
      var element = marker.options.icon.options.html, moved = 0, way = 0;
      element.style.marginTop = "0";
      if (element.style.display === "none") return;
      var first = element.getBoundingClientRect(), box = first;
      for (var i = 0; i < 12; i++) {
        var hit = taken.find(function (other) { return overlap(box, other); });
        if (!hit) break;
        way = way || (box.top + box.bottom < hit.top + hit.bottom ? -1 : 1);
        moved += way > 0 ? hit.bottom - box.top + 2 : hit.top - box.bottom - 2;
        box = { left: first.left, right: first.right, top: first.top + moved, bottom: first.bottom + moved };
      }
      element.style.marginTop = moved + "px";
      taken.push(box);
    });
  }

  // The point on the edge of a band nearest to the site, where its width is labelled.
  function edge(feature, centre) {
    var best = null, least = Infinity;
    lz.eachPart(feature.geometry, function (type, xy) {
      if (type !== "Polygon") return;
      xy.forEach(function (ring) {
        for (var i = 1; i < ring.length; i++) {
          var at = nearest(ring[i - 1], ring[i], centre);
          if (at.far < least) { least = at.far; best = at.spot; }
        }
      });
    });
    return best;
  }

  function nearest(a, b, centre) {
    var k = Math.cos(centre.lat * Math.PI / 180);
    var dx = (b[0] - a[0]) * k, dy = b[1] - a[1], px = (centre.lng - a[0]) * k, py = centre.lat - a[1];
    var size = dx * dx + dy * dy, t = size ? Math.max(0, Math.min(1, (px * dx + py * dy) / size)) : 0;
    return { far: Math.hypot(px - t * dx, py - t * dy), spot: [a[1] + t * (b[1] - a[1]), a[0] + t * (b[0] - a[0])] };
  }

  function draw(number) {
    prepare();
    var spot = lz.review.sites[number].spot, centre = spot && L.latLng(spot), labelled = {};
    drawn = L.layerGroup();
    var renderer = L.svg({ pane: "lz-bands", padding: 0.5 });
    features.forEach(function (feature) {
      var p = feature.properties;
      if (p.s !== number) return;
      L.geoJSON(feature, { pane: "lz-bands", renderer: renderer, interactive: false,
        style: Object.assign({ pane: "lz-bands", renderer: renderer, interactive: false }, looks[p.k]) }).addTo(drawn);
      var at = p.m && !p.k && centre && !labelled[p.m] && edge(feature, centre);
      if (!at) return;
      labelled[p.m] = true;
      var marker = tag(at, lz.word("band-label", { m: p.m }), "lz-on-band").addTo(drawn);
      marker.metres = Number(p.m);
      widths.push(marker);
    });
    lz.review.lines.forEach(function (line) {
      if (line[0] !== number) return;
      // Rules that measure to the same feature share a line and its label.
      var same = line[2] + line[1].join(" ");
      if (labelled[same]) return;
      labelled[same] = true;
      var lines = L.svg({ pane: "lz-lines", padding: 0.5 });
      L.polyline(line[1], Object.assign({ pane: "lz-lines", renderer: lines, interactive: false }, LINE)).addTo(drawn);
      line[1].forEach(function (at) {
        L.circleMarker(at, { pane: "lz-lines", renderer: lines, interactive: false, radius: 3, stroke: false,
          fillColor: LINE.color, fillOpacity: 1 }).addTo(drawn);
      });
      labels.push({ line: line[1], marker: beyond(tag(line[1][1], line[2], "lz-on-line"), line[1]).addTo(drawn) });
    });
    drawn.addTo(lz.map);
    settle();
  }

  function swatch(look) {
    return lz.svg("svg", { width: 22, height: 14, viewBox: "0 0 22 14", class: "lz-swatch", "aria-hidden": "true" }, [
      lz.svg("rect", { x: 1.5, y: 1.5, width: 19, height: 11, fill: look.fillColor, "fill-opacity": look.fillOpacity * 2,
        stroke: look.color, "stroke-width": look.weight, "stroke-dasharray": look.dashArray })
    ]);
  }

  lz.corridors = {
    show: function (number) {
      if (drawn) drawn.remove();
      drawn = null;
      labels = [];
      widths = [];
      current = number;
      if (on && number >= 0) draw(number);
    },

    toggle: function (shown) { on = shown; lz.corridors.show(current); },

    // The bounds of the line of a finding, to zoom to it.
    boundsOf: function (line) { return L.latLngBounds(lz.review.lines[line][1]); },

    legend: function () {
      var line = lz.svg("svg", { width: 22, height: 14, viewBox: "0 0 22 14", class: "lz-swatch", "aria-hidden": "true" }, [
        lz.svg("path", { d: "M2 7H20", stroke: LINE.color, "stroke-width": LINE.weight, "stroke-dasharray": LINE.dashArray,
          "stroke-linecap": "round", fill: "none" })
      ]);
      return [[swatch(looks[0]), "band-certain"], [swatch(looks[1]), "band-possible"], [line, "distance-line"]];
    }
  };
})(lzgis);
