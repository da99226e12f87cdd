// The map of a page. The layers of the city are drawn by the scripts of map.html.
(function (lz) {
  "use strict";
  var box = document.getElementById("map");
  if (!box) return;
  // The colours stand once, in the style sheet; those of map.html and of printed maps are the same.
  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }
  var colours = [0, 1, 2, 3].map(function (rank) { return colour("v" + rank); });
  var map = lz.map = L.map(box, { zoomControl: true, attributionControl: false, preferCanvas: false, zoomSnap: 0.25, wheelPxPerZoomLevel: 90 });
  var page = window.lzPage = { map: map, sites: null, moved: null, ready: null };
  L.control.scale({ imperial: false }).addTo(map);
  map.setView([24.78, 112.38], 9);
  if (document.body.dataset.base) {
    L.tileLayer(document.body.dataset.base, {
      maxZoom: 22, minNativeZoom: Number(document.body.dataset.least), maxNativeZoom: Number(document.body.dataset.most)
    }).addTo(map);
    if (document.body.dataset.credit) {
      var credit = document.createElement("span");
      credit.textContent = document.body.dataset.credit;
      L.control.attribution({ prefix: false }).addAttribution(credit.innerHTML).addTo(map);
    }
  }

  function fetched(address) {
    return fetch(address, { credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.status === 204 ? null : answer.json();
    });
  }

  function text(tag, content) { return lz.el(tag, { text: content }); }

  function drawCity(city) {
    lz.city = { outline: city.outline, words: {}, verdicts: {} };
    lz.layers.build(city.layers);
    lz.layers.all.forEach(function (entry, i) {
      var role = entry.spec.role;
      // Where sites are looked at, all that may forbid them is drawn, as in map.html.
      lz.layers.show(i, role === "outline" || role === "context" && entry.spec.kind === "polygon" || entry.spec.id === "redline" ||
        box.dataset.result !== undefined && role === "constraint");
    });
    lz.layers.opacity(0.75);
    lz.layers.mask();
    panel(city.simplified);
    fine.step = city.step_m;
    if (fine.step) {
      lz.layers.all.forEach(function (entry) { entry.watch.push(function () { showFine(entry); }); });
      map.on("moveend", function () { clearTimeout(fine.timer); fine.timer = setTimeout(refine, 200); });
    }
    page.city = L.latLngBounds(city.bounds);
    if (page.sites) page.sites.bringToFront();
    else map.fitBounds(page.city, { animate: false });
  }

  // Where the map is zoomed in so far that the simplification of the layers would be seen, the shapes in this window are
  // fetched in detail and drawn in place of the coarse ones.
  var fine = { step: 0, held: null, number: 0 };

  function perPixel() {
    return 40075017 * Math.cos(map.getCenter().lat * Math.PI / 180) / Math.pow(2, map.getZoom() + 8);
  }

  function refine() {
    var view = map.getBounds(), zoom = map.getZoom(), held = fine.held, seen = 2 * perPixel();
    if (fine.step < seen) {
      fine.number += 1;
      if (held) drawFine({ layers: {} });
      fine.held = null;
      return;
    }
    if (held && held.bounds.contains(view) && (held.step < seen || held.zoom >= zoom)) return;
    var bounds = view.pad(0.25), number = fine.number += 1;
    var sides = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    fetched("/city/window.json?in=" + sides.map(function (one) { return one.toFixed(5); }).join(",")).then(function (found) {
      if (number !== fine.number) return;
      drawFine(found);
      fine.held = { bounds: bounds, zoom: zoom, step: found.step_m };
      box.dataset.fine = number;
    }).catch(function () {});
  }

  function drawFine(found) {
    lz.layers.all.forEach(function (entry) {
      if (entry.fine && entry.fine.group) entry.fine.group.remove();
      var topology = found.layers[entry.spec.id];
      entry.fine = topology ? { spec: Object.assign({}, entry.spec, { topology: topology }), group: null, features: null } : null;
      showFine(entry);
    });
  }

  function showFine(entry) {
    var name = "lz-fine-" + entry.place, coarse = map.getPane("lz-layer-" + entry.place);
    if (coarse) coarse.classList.toggle("refined", Boolean(entry.fine));
    if (!entry.fine) return;
    if (entry.shown && !entry.fine.group) {
      if (map.getPane(name)) map.getPane(name).remove();
      entry.fine.group = lz.layers.drawIn(entry.fine.spec, name, 300 + entry.place);
      if (entry.spec.kind === "polygon" && entry.spec.role !== "outline") map.getPane(name).style.opacity = lz.layers.faded;
    }
    if (entry.shown) entry.fine.group.addTo(map);
    else if (entry.fine.group) entry.fine.group.remove();
  }

  function panel(note) {
    var list = document.getElementById("layers");
    if (!list) return;
    if (note) list.appendChild(lz.el("p", { class: "hint", text: note }));
    lz.layers.all.forEach(function (entry, i) {
      var tick = lz.el("input", { attrs: { type: "checkbox" } });
      tick.checked = entry.shown;
      tick.addEventListener("change", function () { lz.layers.show(i, tick.checked); });
      var swatch = lz.el("span", { class: "swatch" }), style = entry.spec.style;
      swatch.style.borderColor = style.stroke;
      swatch.style.background = style.fill || "transparent";
      list.appendChild(lz.el("label", {}, [tick, swatch, text("span", [entry.spec.title, entry.spec.status].filter(Boolean).join(" · "))]));
    });
  }

  function siteStyle(feature) {
    var own = feature.properties.rank === undefined ? "#0b5d8f" : colours[feature.properties.rank];
    return { color: own, weight: 2.5, fillColor: own, fillOpacity: 0.15 };
  }

  function drawSites(shapes) {
    page.sites = L.geoJSON(shapes, {
      style: siteStyle,
      pointToLayer: function (feature, at) { return L.circleMarker(at, Object.assign(siteStyle(feature), { radius: 7, fillOpacity: 0.7 })); },
      onEachFeature: function (feature, layer) {
        var p = feature.properties;
        layer.bindPopup(function () { return text("p", [p.id, p.name].filter(Boolean).join(" ")); });
        layer.on("click", function () { open(p.id); });
      }
    }).addTo(map);
    var bounds = page.sites.getBounds();
    // A site far from the city, as one in a wrong zone: both are shown, the site as a spot that can be seen.
    if (bounds.isValid() && page.city && !page.city.intersects(bounds)) {
      L.circleMarker(bounds.getCenter(), { radius: 9, color: "#b00020", weight: 3, fillOpacity: 0.4 }).addTo(map);
      bounds.extend(page.city);
    }
    if (bounds.isValid()) map.fitBounds(bounds.pad(0.08), { animate: false, maxZoom: 15 });
  }

  function drawParts(shapes) {
    L.geoJSON(shapes, {
      style: function (feature) {
        var p = feature.properties, own = colour(p.state === "疑似边界误差" ? "sliver" : p.severity);
        return { color: own, weight: 1.5, fillColor: own, fillOpacity: 0.45 };
      },
      pointToLayer: function (feature, at) { return L.circleMarker(at, { radius: 4 }); },
      onEachFeature: function (feature, layer) {
        layer.bindPopup(function () { return lz.el("div", {}, [text("b", feature.properties.site), text("p", feature.properties.rule)]); });
      }
    }).addTo(map);
  }

  function open(id) {
    document.querySelectorAll("details[data-id]").forEach(function (one) {
      if (one.dataset.id !== String(id) || one.open) return;
      one.querySelector("summary").click();
      one.scrollIntoView({ block: "nearest" });
    });
  }

  function zoom(id) {
    if (!page.sites) return;
    page.sites.eachLayer(function (layer) {
      if (String(layer.feature.properties.id) !== String(id)) return;
      if (layer.getBounds) map.fitBounds(layer.getBounds().pad(0.6), { maxZoom: 17 });
      else map.setView(layer.getLatLng(), 16);
    });
    box.scrollIntoView({ block: "nearest" });
  }

  function drawMove(found) {
    if (page.moved) page.moved.remove();
    page.moved = L.featureGroup();
    var green = "#1b7f3b";
    if (found.remaining) L.geoJSON(found.remaining, { style: { color: green, weight: 1, fillOpacity: 0.35 } }).addTo(page.moved);
    if (found.shift && found.shift.distance_m > 0) {
      L.geoJSON(found.shift.geometry, {
        style: { color: green, weight: 3, dashArray: "7 5", fillOpacity: 0.08 },
        pointToLayer: function (feature, at) { return L.circleMarker(at, { radius: 7, color: green, dashArray: "3 3" }); }
      }).addTo(page.moved);
    }
    page.moved.addTo(map);
    if (page.moved.getLayers().length) map.fitBounds(page.moved.getBounds().pad(0.5), { maxZoom: 17 });
    box.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-zoom], [data-avoid]");
    if (!button) return;
    if (button.dataset.zoom) zoom(button.dataset.zoom);
    else fetched(button.dataset.avoid).then(drawMove);
  });

  // A move is drawn when it is found.
  document.body.addEventListener("htmx:afterSwap", function (event) {
    var found = event.target.matches(".avoid") && event.target.querySelector("[data-avoid]");
    if (found) fetched(found.dataset.avoid).then(drawMove);
  });

  // What lies at a point in all layers, also in those that are not ticked; by the detailed shapes where there are some.
  function everything(at) {
    var coarse = lz.layers.all.map(function (entry) {
      var own = entry.features;
      if (entry.fine) entry.features = entry.fine.features = entry.fine.features || lz.featuresOf(entry.fine.spec.topology);
      return own;
    });
    var found = lz.layers.identify(at);
    lz.layers.all.forEach(function (entry, i) { if (entry.fine) entry.features = coarse[i]; });
    return found;
  }

  if (box.dataset.here) {
    map.on("click", function (event) {
      var list = lz.el("ul", {}), found = everything(event.latlng).slice(0, 60);
      found.forEach(function (one) {
        var p = one.feature.properties, name = [p.t, p.v].filter(Boolean);
        list.appendChild(lz.el("li", {}, [text("b", one.spec.title + " "), text("span", Array.from(new Set(name)).join(" · "))]));
      });
      if (!found.length) list.appendChild(text("li", box.dataset.nothing));
      var at = event.latlng.lng.toFixed(6) + " E, " + event.latlng.lat.toFixed(6) + " N";
      L.popup({ maxHeight: 280 }).setLatLng(event.latlng).setContent(lz.el("div", {}, [text("b", box.dataset.here), text("p", at), list])).openOn(map);
    });
  }

  var form = document.getElementById("goto");
  if (form) {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var word = form.elements.place.value.trim(), pair = word.split(/[\s,，]+/).map(Number);
      if (pair.length === 2 && pair.every(isFinite)) {
        map.setView(Math.abs(pair[0]) > 90 ? [pair[1], pair[0]] : pair, 14);
        return;
      }
      lz.layers.all.some(function (entry) {
        if (entry.spec.role !== "context" || !word) return false;
        var hit = lz.featuresOf(entry.spec.topology).find(function (one) {
          return (one.properties.t || "").indexOf(word) >= 0;
        });
        if (hit) map.fitBounds(L.geoJSON(hit).getBounds());
        return Boolean(hit);
      });
    });
  }

  // Until a worker has the city open there is nothing to draw; the page asks again by itself.
  function drawnCity() {
    return fetched("/city/map.json?page=1").then(function (city) {
      if (city) {
        drawCity(city);
        box.classList.remove("without");
        var hint = document.getElementById("warming");
        if (hint) hint.remove();
      } else setTimeout(drawnCity, 1500);
    }).catch(function () { box.classList.add("without"); });
  }

  page.ready = drawnCity().then(function () {
    if (box.dataset.sites) return fetched(box.dataset.sites).then(drawSites);
    if (box.dataset.result) return fetched(box.dataset.result).then(function (shapes) { drawParts(shapes.parts); drawSites(shapes.sites); });
    return null;
  }).then(function () { document.body.classList.add("map-ready"); });
})(lzgis);
