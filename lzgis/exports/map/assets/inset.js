// The inset: a small map of the city with a box for the current view; a click moves the map there.
(function (lz) {
  "use strict";
  var WIDE = 108, EDGE = 5;

  function rings() {
    var found = [], source = lz.city.outline;
    lz.featuresOf(source).forEach(function (feature) {
      lz.eachPart(feature.geometry, function (type, xy) { if (type === "Polygon") found.push(xy[0]); });
    });
    return found;
  }

  lz.inset = function () {
    var outline = rings(), box = lz.byId("lz-inset");
    if (!outline.length) { box.hidden = true; return; }
    var b = lz.city.bounds, k = Math.cos((b[0][0] + b[1][0]) / 2 * Math.PI / 180);
    var scale = (WIDE - 2 * EDGE) / Math.max((b[1][1] - b[0][1]) * k, b[1][0] - b[0][0]);
    var wide = (b[1][1] - b[0][1]) * k * scale + 2 * EDGE, high = (b[1][0] - b[0][0]) * scale + 2 * EDGE;
    function x(lon) { return EDGE + (lon - b[0][1]) * k * scale; }
    function y(lat) { return high - EDGE - (lat - b[0][0]) * scale; }
    var path = outline.map(function (ring) {
      return "M" + ring.map(function (p) { return x(p[0]).toFixed(1) + " " + y(p[1]).toFixed(1); }).join("L") + "Z";
    }).join("");
    var view = lz.svg("rect", { class: "lz-inset-view" });
    var picture = lz.svg("svg", { width: wide, height: high, viewBox: "0 0 " + wide + " " + high, "aria-hidden": "true" }, [
      lz.svg("path", { d: path, class: "lz-inset-city" }), view
    ]);
    box.title = lz.word("inset");
    box.appendChild(picture);
    function follow() {
      var seen = lz.map.getBounds();
      var west = Math.max(0, x(seen.getWest())), east = Math.min(wide, x(seen.getEast()));
      var north = Math.max(0, y(seen.getNorth())), south = Math.min(high, y(seen.getSouth()));
      // A box is drawn with at least five pixels so that it is visible.
      var w = Math.max(east - west, 5), h = Math.max(south - north, 5);
      view.setAttribute("x", Math.min((west + east - w) / 2, wide - w));
      view.setAttribute("y", Math.min((north + south - h) / 2, high - h));
      view.setAttribute("width", w);
      view.setAttribute("height", h);
    }
    box.addEventListener("click", function (event) {
      var at = picture.getBoundingClientRect();
      lz.map.panTo([b[0][0] + (high - EDGE - (event.clientY - at.top)) / scale,
        b[0][1] + (event.clientX - at.left - EDGE) / scale / k]);
    });
    lz.map.on("moveend zoomend resize", follow);
    follow();
  };
})(lzgis);
