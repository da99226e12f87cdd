// Drawing on the map of the first page: points, lines, areas, with lengths and areas while one draws.
(function () {
  "use strict";
  var box = document.getElementById("map"), page = window.lzPage;
  if (!box || !page || !box.dataset.draw) return;
  var map = page.map, drawn = L.featureGroup().addTo(map), said = document.getElementById("measure");
  var send = document.getElementById("drawn-send"), field = document.getElementById("shapes");
  var radius = 6378137, rad = Math.PI / 180;

  map.pm.setLang(box.dataset.lang === "en" ? "en" : "zh");
  map.pm.addControls({
    position: "topleft", drawMarker: true, drawPolyline: true, drawPolygon: true, drawRectangle: true, drawCircle: false,
    drawCircleMarker: false, drawText: false, editMode: true, dragMode: true, cutPolygon: false, removalMode: true, rotateMode: false
  });
  // The names that Geoman gives its buttons are on the boxes around them.
  box.querySelectorAll(".button-container").forEach(function (one) {
    var button = one.querySelector("a.leaflet-buttons-control-button");
    if (button) button.setAttribute("aria-label", one.title);
  });
  map.pm.setGlobalOptions({ snappable: true, snapDistance: 15, layerGroup: drawn, markerStyle: { icon: L.divIcon({ className: "", html: '<i class="dot v1 m1"></i>', iconSize: [18, 18] }) } });

  // Approximate: on a sphere. The screening measures on the ellipsoid.
  function area(ring) {
    var sum = 0;
    ring.forEach(function (a, i) {
      var b = ring[(i + 1) % ring.length];
      sum += (b.lng - a.lng) * rad * (2 + Math.sin(a.lat * rad) + Math.sin(b.lat * rad));
    });
    return Math.abs(sum) * radius * radius / 2;
  }
  function length(line) {
    return line.slice(1).reduce(function (sum, at, i) { return sum + map.distance(line[i], at); }, 0);
  }
  function number(value) { return Math.round(value).toLocaleString("en"); }

  function measured(points, closed) {
    if (closed && points.length > 2) {
      var m2 = area(points);
      return said.dataset.area.replace("{m2}", number(m2)).replace("{mu}", (m2 / 10000 * 15).toFixed(1))
        .replace("{m}", number(length(points.concat([points[0]]))));
    }
    return said.dataset.length.replace("{m}", number(length(points)));
  }

  function show() {
    var layers = drawn.getLayers(), texts = [];
    layers.forEach(function (layer) {
      if (layer instanceof L.Polygon) texts.push(measured(layer.getLatLngs()[0], true));
      else if (layer instanceof L.Polyline) texts.push(measured(layer.getLatLngs(), false));
      else if (layer.getLatLng) texts.push(layer.getLatLng().lng.toFixed(6) + ", " + layer.getLatLng().lat.toFixed(6));
    });
    said.textContent = texts.join("； ") || said.dataset.none;
    send.disabled = !layers.length;
  }

  // Undo: the last corner while one draws, else the last shape that was drawn, changed or removed.
  var undo = document.getElementById("undo"), states = [[]], restoring = false;
  function shapes() { return drawn.getLayers().map(function (layer) { return layer.toGeoJSON(12); }); }
  function remember() {
    if (restoring) return;
    var now = shapes();
    if (JSON.stringify(now) !== JSON.stringify(states[states.length - 1])) states.push(now);
    undo.disabled = states.length < 2;
  }
  function back() {
    if (map.pm.globalDrawModeEnabled()) {
      var tool = map.pm.Draw[map.pm.Draw.getActiveShape()];
      if (tool && tool._removeLastVertex && tool._layer && tool._layer.getLatLngs().length) tool._removeLastVertex();
      return;
    }
    if (states.length < 2) return;
    restoring = true;
    states.pop();
    if (map.pm.globalEditModeEnabled()) map.pm.disableGlobalEditMode();
    drawn.clearLayers();
    states[states.length - 1].forEach(function (one) {
      L.geoJSON(one, {
        pointToLayer: function (feature, at) { return L.marker(at, { icon: map.pm.getGlobalOptions().markerStyle.icon }); }
      }).eachLayer(function (layer) { drawn.addLayer(layer); follow(layer); });
    });
    restoring = false;
    undo.disabled = states.length < 2;
    show();
  }
  function follow(layer) {
    layer.on("pm:edit pm:dragend pm:markerdragend", function () { remember(); show(); });
    layer.on("pm:remove", show);
  }
  undo.addEventListener("click", back);
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (typing || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    back();
  });

  map.on("pm:drawstart", function (event) {
    var work = event.workingLayer;
    undo.disabled = false;
    if (!work.getLatLngs || event.shape === "Rectangle") return;
    // With the place of the pointer, which becomes the next corner.
    function live(moved) {
      var set = work.getLatLngs(), hint = (map.pm.Draw[event.shape] || {})._hintMarker;
      var points = set.concat(hint ? [hint.getLatLng()] : moved.latlng ? [moved.latlng] : []);
      if (!set.length || points.length < 2) return;
      said.textContent = measured(points, event.shape === "Polygon") + said.dataset.side.replace("{m}", number(length(points.slice(-2))));
    }
    work.on("pm:vertexadded", live);
    map.on("mousemove", live);
    map.once("pm:drawend", function () { map.off("mousemove", live); });
  });
  map.on("pm:create", function (event) {
    follow(event.layer);
    remember();
    show();
  });
  map.on("pm:remove pm:drawend pm:globaleditmodetoggled", function () {
    window.setTimeout(function () { remember(); show(); }, 0);
  });

  document.getElementById("drawn").addEventListener("submit", function () {
    var name = document.getElementById("drawn-name").value, many = drawn.getLayers().length > 1;
    field.value = JSON.stringify({ type: "FeatureCollection", features: drawn.getLayers().map(function (layer, i) {
      var one = layer.toGeoJSON(9);
      return { type: "Feature", geometry: one.geometry, properties: { name: name && many ? name + " " + (i + 1) : name } };
    }) });
  });
  window.lzDrawn = drawn;
})();
