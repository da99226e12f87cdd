// Measuring tool: length and area on the ellipsoid of CGCS2000, for orientation.
(function (lz) {
  "use strict";
  var A = 6378137, E2 = 0.0066943800229, RAD = Math.PI / 180;
  var points = [], drawn = null, box = null, button = null, active = false, done = false;

  // Middle-latitude rule: off by less than 1e-5 over the width of a city.
  lz.distance = function (p, q) {
    var lat = (p.lat + q.lat) / 2 * RAD, w = 1 - E2 * Math.sin(lat) * Math.sin(lat);
    var north = (q.lat - p.lat) * RAD * A * (1 - E2) / Math.pow(w, 1.5);
    var east = (q.lng - p.lng) * RAD * A * Math.cos(lat) / Math.sqrt(w);
    return Math.hypot(north, east);
  };

  // Area from the equator to a parallel, per radian of longitude.
  function zone(lat) {
    var s = Math.sin(lat * RAD), e = Math.sqrt(E2);
    return A * A * (1 - E2) / 2 * (s / (1 - E2 * s * s) + Math.atanh(e * s) / e);
  }

  lz.area = function (ring) {
    var sum = 0;
    ring.forEach(function (p, i) {
      var q = ring[(i + 1) % ring.length];
      sum += (q.lng - p.lng) * RAD * (zone(p.lat) + 4 * zone((p.lat + q.lat) / 2) + zone(q.lat)) / 6;
    });
    return Math.abs(sum);
  };

  function grouped(number, places) {
    var parts = number.toFixed(places).split(".");
    parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, ",");
    return parts.join(".");
  }

  function line(key, value) {
    return lz.el("p", {}, [lz.el("span", { text: lz.word(key) + " " }), lz.el("strong", { text: value })]);
  }

  function showMeasures() {
    lz.clear(box);
    box.append(lz.el("p", { class: "lz-hint", text: lz.word("measure-hint") }));
    if (points.length > 1) {
      var length = points.slice(1).reduce(function (sum, p, i) { return sum + lz.distance(points[i], p); }, 0);
      box.append(line("measure-length", length < 10000 ? grouped(length, 1) + " m" : grouped(length / 1000, 3) + " km"));
    }
    if (points.length > 2) {
      var m2 = lz.area(points);
      box.append(line("measure-area", lz.word("approximate") + " " + grouped(m2, 0) + " " + lz.word("square-metres") +
        " = " + grouped(m2 / 10000, 4) + " " + lz.word("hectares")));
    }
    if (points.length) box.append(lz.el("p", { class: "lz-hint", text: lz.word("measure-note") }),
      lz.button(lz.word("measure-clear"), reset));
  }

  function draw() {
    drawn.clearLayers();
    var style = { pane: "lz-measure", color: "#0b3d91", weight: 2.5, dashArray: "6 4", interactive: false,
      fillColor: "#0b3d91", fillOpacity: 0.12 };
    (points.length > 2 ? L.polygon(points, style) : L.polyline(points, style)).addTo(drawn);
    points.forEach(function (p) {
      L.circleMarker(p, Object.assign({}, style, { radius: 3.5, dashArray: null, fillOpacity: 1 })).addTo(drawn);
    });
    showMeasures();
  }

  function reset() { points = []; done = false; draw(); }

  function add(event) {
    if (done) reset();
    points.push(event.latlng);
    draw();
  }

  function finish() {
    // Each click of the double click has added a point.
    if (points.length > 1 && lz.distance(points[points.length - 1], points[points.length - 2]) < 0.5) points.pop();
    done = true;
    draw();
  }

  lz.measure = {
    build: function (bar) {
      lz.map.createPane("lz-measure").style.zIndex = 640;
      lz.map.getPane("lz-measure").style.pointerEvents = "none";
      drawn = L.layerGroup().addTo(lz.map);
      box = lz.el("div", { class: "lz-measure", attrs: { role: "status" } });
      box.hidden = true;
      lz.byId("lz-main").appendChild(box);
      button = bar(lz.word("measure"), "M3 15 15 3l4 4L7 19zM7 11l2 2M10 8l2 2M13 5l2 2", lz.measure.toggle);
      button.setAttribute("aria-pressed", "false");
    },

    active: function () { return active; },

    toggle: function () {
      active = !active;
      button.setAttribute("aria-pressed", String(active));
      lz.map.getContainer().classList.toggle("lz-measuring", active);
      lz.map[active ? "on" : "off"]({ click: add, dblclick: finish });
      lz.map.doubleClickZoom[active ? "disable" : "enable"]();
      box.hidden = !active;
      reset();
    }
  };
})(lzgis);
