// The sites and their conflicting parts.
(function (lz) {
  "use strict";
  var items = [], parts = [], sitesOn = true, partsOn = true, wanted = null, selected = -1, popup = null;
  var dark = [], cluster = null;
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
    var marker = L.marker(site.spot, { icon: icon, pane: "lz-markers", keyboard: false, verdict: site.verdict,
      zIndexOffset: (4 - site.verdict) * 1000 });
    marker.on("click", function () { lz.sites.popup(number, site.spot); });
    marker.on("add", function () { marker.getElement().classList.toggle("lz-chosen", number === selected); });
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

  // Markers that would cover each other are one sign, of the gravest verdict among them, with their number.
  function clusters() {
    return L.markerClusterGroup({
      clusterPane: "lz-markers", maxClusterRadius: 26, showCoverageOnHover: false, animate: false, zoomToBoundsOnClick: true,
      iconCreateFunction: function (group) {
        var worst = Math.min.apply(null, group.getAllChildMarkers().map(function (one) { return one.options.verdict; }));
        var text = String(group.getChildCount()), sign = lz.sign(worst, 24);
        var label = lz.word("cluster", { n: text, verdict: lz.city.verdicts[worst].title });
        var box = lz.el("span", { class: "lz-cluster", title: label, attrs: { role: "img", "aria-label": label } },
          [sign, lz.el("b", { text: text })]);
        return L.divIcon({ className: "lz-marker lz-cluster-marker", html: box, iconSize: [24, 24] });
      }
    }).addTo(lz.map);
  }

  // A marker replaces the shape of a site while it is too small to see.
  function signs() {
    items.forEach(function (item) {
      if (!item.marker || !item.bounds) return;
      var a = lz.map.latLngToLayerPoint(item.bounds.getNorthWest());
      var b = lz.map.latLngToLayerPoint(item.bounds.getSouthEast());
      item.small = Math.max(b.x - a.x, b.y - a.y) < 30;
    });
    markers();
  }

  function visible(item) { return sitesOn && (!wanted || wanted.has(item.number)); }

  // The marker of the selected site stands alone; all others are in the clusters.
  function markers() {
    var more = [], fewer = [];
    items.forEach(function (item) {
      if (!item.marker) return;
      var on = visible(item) && item.small, alone = on && item.number === selected;
      if (on && !alone && !item.grouped) more.push(item.marker);
      if (item.grouped && (!on || alone)) fewer.push(item.marker);
      item.grouped = on && !alone;
    });
    if (fewer.length) cluster.removeLayers(fewer);
    if (more.length) cluster.addLayers(more);
    items.forEach(function (item) {
      if (item.marker && !item.grouped) place(item.marker, visible(item) && item.small && item.number === selected);
    });
  }

  function place(one, on) {
    if (!one || on === lz.map.hasLayer(one)) return;
    if (on) one.addTo(lz.map); else one.remove();
  }

  function refresh() {
    items.forEach(function (item) { place(item.shape, visible(item)); });
    markers();
    parts.forEach(function (part) {
      place(part.shape, partsOn && (part.site < 0 || visible(items[part.site])));
    });
    around();
  }

  // Bands and distance lines belong to the selected site and vanish with it.
  function around() {
    lz.corridors.show(selected >= 0 && visible(items[selected]) ? selected : -1);
  }

  lz.sites = {
    // In a comparison the parts are the areas lost and gained.
    prepare: function () {
      dark = lz.city.parts ? lz.city.parts.map(function (part) { return part.colour; }) : lz.city.part_colours;
    },

    build: function () {
      var data = lz.review, shapes = lz.featuresOf(data.shapes);
      pane("lz-sites", 500); pane("lz-markers", 620);
      cluster = clusters();
      var lines = L.svg({ pane: "lz-sites", padding: 0.5 });
      // Prohibited parts are drawn above conditional ones.
      var hatched = dark.map(function (_, rank) {
        lz.map.getPane(pane("lz-parts-" + rank, 512 - rank)).style.pointerEvents = "none";
        return L.svg({ pane: "lz-parts-" + rank, padding: 0.5 });
      });
      data.sites.forEach(function (site, number) {
        var item = { site: site, number: number, shape: null, marker: null, bounds: null, small: true, grouped: false };
        if (site.shape >= 0) {
          item.shape = makeShape(shapes[site.shape], site, number, lines);
          item.marker = makeMarker(site, number);
          item.bounds = item.shape.getBounds();
          label(item);
        }
        items.push(item);
      });
      lz.featuresOf(data.parts).forEach(function (feature) {
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

    // The number of sites that are seen as markers.
    small: function () {
      return items.filter(function (item) { return item.marker && item.small && visible(item); }).length;
    },

    show: function (on) { sitesOn = on; refresh(); },
    showParts: function (on) { partsOn = on; refresh(); },
    only: function (numbers) { wanted = numbers; refresh(); },
    bounds: function () {
      return items.reduce(function (all, item) { return item.bounds ? all.extend(item.bounds) : all; }, L.latLngBounds([]));
    },

    select: function (number) {
      var before = selected;
      selected = number;
      [before, number].forEach(function (one) {
        var item = items[one];
        if (item && item.shape) item.shape.setStyle(siteStyle(item.site.verdict, one === number));
        var icon = item && item.marker && item.marker.getElement();
        if (icon) icon.classList.toggle("lz-chosen", one === number);
      });
      markers();
      around();
    },

    // The bounds of a site; none if it has no shape.
    boundsOf: function (number) { return items[number] && items[number].bounds; },

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

    // On a narrow screen a popup would hide the map; the site opens in the sheet below it.
    popup: function (number, at) {
      if (lz.sheets.narrow()) { lz.panel.open(number); return; }
      var content = lz.el("div", { class: "lz-popup" }, [lz.heading(number, "h2"), lz.findings(number)]);
      popup = lz.popup(at, content, 380);
      lz.sites.select(number);
      lz.panel.mark(number);
      popup.on("remove", function () {
        if (lz.panel.isOpen() || selected !== number) return;
        lz.sites.select(-1);
        lz.panel.mark(-1);
      });
    }
  };
})(lzgis);
