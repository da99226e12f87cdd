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

  // Signs between texts, in the language of the page.
  var chinese = document.documentElement.lang.indexOf("zh") === 0;
  lz.colon = chinese ? "\uff1a" : ": ";
  lz.between = chinese ? "\uff1b" : "; ";

  lz.clear = function (node) { node.replaceChildren(); };
  lz.byId = function (id) { return document.getElementById(id); };
  lz.read = function (id) { return JSON.parse(lz.byId("lz-" + id).textContent); };

  lz.word = function (key, values) {
    var text = lz.city.words[key];
    Object.keys(values || {}).forEach(function (name) { text = text.split("{" + name + "}").join(values[name]); });
    return text;
  };

  // A verdict has a colour, a shape and a dash, so that any one of them is enough to distinguish it.
  lz.dash = function (verdict) { return lz.city.verdicts[verdict].dash || null; };

  lz.sign = function (verdict, size) {
    var look = lz.city.verdicts[verdict];
    return lz.svg("svg", { width: size, height: size, viewBox: "0 0 20 20", "aria-hidden": "true" }, [
      lz.svg("path", {
        d: look.outline, fill: look.colour, stroke: "#fff", "stroke-width": 1.6, "stroke-linejoin": "round"
      }),
      lz.svg("path", { d: look.strokes, fill: "none", stroke: "#fff", "stroke-width": 1.8, "stroke-linecap": "round" })
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

  // The numbers in the text of an arc: digits of five bits, the least first, 32 more in all but the last, the sign in bit 0.
  var DIGITS = {};
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("").forEach(function (one, bits) {
    DIGITS[one.charCodeAt(0)] = bits;
  });

  function arcOf(text) {
    var arc = [], pair = null, value = 0, shift = 0;
    for (var i = 0; i < text.length; i++) {
      var bits = DIGITS[text.charCodeAt(i)];
      value |= (bits & 31) << shift;
      shift += 5;
      if (bits >= 32) continue;
      var number = value & 1 ? -(value >>> 1) : value >>> 1;
      if (pair) { pair.push(number); arc.push(pair); pair = null; } else pair = [number];
      value = shift = 0;
    }
    return arc;
  }

  // The features of GeoJSON of a topology whose arcs are texts.
  lz.featuresOf = function (topology) {
    var read = Object.assign({}, topology, { arcs: topology.arcs.map(arcOf) });
    return topojson.feature(read, topology.objects.d).features;
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
