// Helpers for the DOM. Text from data is only written through textContent.
var lzgis = {};
(function (lz) {
  "use strict";

  lz.el = function (tag, options, children) {
    var node = document.createElement(tag), o = options || {};
    if (o.class) node.className = o.class;
    if (o.text !== undefined) node.textContent = o.text;
    if (o.title) node.title = o.title.length > 300 ? o.title.slice(0, 300) + "…" : o.title;
    Object.keys(o.attrs || {}).forEach(function (name) { node.setAttribute(name, o.attrs[name]); });
    Object.keys(o.on || {}).forEach(function (event) { node.addEventListener(event, o.on[event]); });
    (children || []).forEach(function (child) { if (child) node.appendChild(child); });
    return node;
  };

  lz.button = function (text, act, options) {
    var o = Object.assign({ class: "lz-button" }, options);
    o.text = text;
    o.on = { click: act };
    o.attrs = Object.assign({ type: "button" }, o.attrs);
    return lz.el("button", o);
  };

  lz.svg = function (tag, attributes, children) {
    var node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.keys(attributes).forEach(function (name) {
      if (attributes[name] !== null && attributes[name] !== undefined) node.setAttribute(name, attributes[name]);
    });
    (children || []).forEach(function (child) { node.appendChild(child); });
    return node;
  };

  lz.clear = function (node) { node.replaceChildren(); };
  lz.byId = function (id) { return document.getElementById(id); };
  lz.read = function (id) { return JSON.parse(lz.byId("lz-" + id).textContent); };

  lz.word = function (key, values) {
    var text = lz.city.words[key];
    Object.keys(values || {}).forEach(function (name) { text = text.split("{" + name + "}").join(values[name]); });
    return text;
  };

  // A verdict has a colour, a shape and a dash, so that any one of them is enough to distinguish it.
  // The last five are for comparisons: added, removed, moved, changed, and a changed verdict.
  var round = "M10 2a8 8 0 1 0 .01 0Z", square = "M3 3H17V17H3Z";
  var shapes = ["M10 1 19 10 10 19 1 10Z", "M10 2 19 18 1 18Z", square, round, round, round, square, square,
    "M5 2H15L19 10 15 18H5L1 10Z"];
  var signs = ["M7 7 13 13M13 7 7 13", "M10 8V12.5M10 14.6V15.6", "M6.5 10H13.5", "M6.5 10.2 9 12.8 13.6 7.6",
    "M10 6V14M6 10H14", "M6 10H14", "M6 10H14M11 7 14 10 11 13", "M6 8H14M6 12H14", "M6 8H14M12 6 14 8M14 12H6M8 14 6 12"];
  var dashes = [null, "8 4", "2 4", null, null, "8 4", null, "2 4", null];

  function look(verdict) {
    var own = lz.city.verdicts[verdict].sign;
    return own === undefined ? verdict : own;
  }

  lz.dash = function (verdict) { return dashes[look(verdict)]; };

  lz.sign = function (verdict, size) {
    return lz.svg("svg", { width: size, height: size, viewBox: "0 0 20 20", "aria-hidden": "true" }, [
      lz.svg("path", {
        d: shapes[look(verdict)], fill: lz.city.verdicts[verdict].colour, stroke: "#fff", "stroke-width": 1.6,
        "stroke-linejoin": "round"
      }),
      lz.svg("path", { d: signs[look(verdict)], fill: "none", stroke: "#fff", "stroke-width": 1.8, "stroke-linecap": "round" })
    ]);
  };

  // Whether a point lies inside rings of GeoJSON, by the even-odd rule.
  lz.inRings = function (lon, lat, rings) {
    var inside = false;
    rings.forEach(function (ring) {
      for (var i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        var a = ring[i], b = ring[j];
        if ((a[1] > lat) !== (b[1] > lat) && lon < (b[0] - a[0]) * (lat - a[1]) / (b[1] - a[1]) + a[0]) inside = !inside;
      }
    });
    return inside;
  };

  lz.eachPart = function (geometry, visit) {
    if (!geometry) return;
    if (geometry.type === "GeometryCollection") {
      geometry.geometries.forEach(function (one) { lz.eachPart(one, visit); });
    } else if (geometry.type.indexOf("Multi") === 0) {
      geometry.coordinates.forEach(function (one) { visit(geometry.type.slice(5), one); });
    } else {
      visit(geometry.type, geometry.coordinates);
    }
  };
})(lzgis);
