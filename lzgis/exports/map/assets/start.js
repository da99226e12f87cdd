// Builds the page.
(function (lz) {
  "use strict";

  function bar() {
    var Bar = L.Control.extend({
      options: { position: "topleft" },
      onAdd: function () {
        var box = L.DomUtil.create("div", "lz-tools leaflet-bar");
        L.DomEvent.disableClickPropagation(box);
        lz.tool = function (title, path, act) {
          var made = lz.el("button", { title: title, attrs: { type: "button", "aria-label": title }, on: { click: act } }, [
            lz.svg("svg", { width: 18, height: 18, viewBox: "0 0 22 22", "aria-hidden": "true" }, [lz.svg("path", {
              d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.7, "stroke-linejoin": "round",
              "stroke-linecap": "round" })])
          ]);
          box.appendChild(made);
          return made;
        };
        lz.tool("+", "M11 4V18M4 11H18", function () { lz.map.zoomIn(1); });
        lz.tool("−", "M4 11H18", function () { lz.map.zoomOut(1); });
        lz.tool(lz.word("home"), "M3 11 11 4l8 7M5.5 9.5V18h11V9.5", lz.home);
        return box;
      }
    });
    new Bar().addTo(lz.map);
  }

  // The matters that neither rules nor layers answer; a comparison of layers has none.
  function notCovered(box) {
    var matters = lz.city.not_covered || [];
    if (!matters.length) return;
    var list = lz.el("ul", { class: "lz-problems" }, matters.map(function (one) {
      return lz.el("li", {}, [lz.el("strong", { class: "lz-data", text: one[0] }),
        lz.el("span", { class: "lz-data", text: [""].concat(one.slice(1).filter(Boolean)).join(" · ") })]);
    }));
    box.appendChild(lz.el("details", { class: "lz-notes lz-not-covered" }, [
      lz.el("summary", { text: lz.word("not-covered", { n: matters.length }) }), list
    ]));
  }

  function footer() {
    var box = lz.byId("lz-footer"), list = lz.el("ul", {});
    lz.city.footer.forEach(function (text) { list.appendChild(lz.el("li", { class: "lz-data", text: text })); });
    box.insertBefore(list, box.firstChild);
    notCovered(box);
    if (!lz.city.problems.length) return;
    var notes = lz.el("ul", { class: "lz-problems" }, lz.city.problems.map(function (problem) {
      return lz.el("li", {}, [lz.el("strong", { text: problem[0] + " " }),
        lz.el("span", { class: "lz-data", text: problem[1] + lz.colon + problem[2] + lz.between + problem[3] })]);
    }));
    var more = lz.el("details", { class: "lz-notes" }, [
      lz.el("summary", { text: lz.word("problems", { n: lz.city.problems.length }) }), notes
    ]);
    box.appendChild(more);
  }

  function identify(event) {
    if (lz.measure.active()) return;
    var found = lz.layers.identify(event.latlng), list = lz.el("ul", { class: "lz-here" });
    found.slice(0, 30).forEach(function (one) {
      var p = one.feature.properties, name = [p.t, p.v].filter(Boolean);
      list.appendChild(lz.el("li", { class: one.on ? "" : "lz-here-off" }, [
        lz.el("span", { class: "lz-layer lz-data", text: [one.spec.title, one.spec.status].filter(Boolean).join(" · "),
          title: one.spec.source }),
        lz.el("span", { class: "lz-data", text: Array.from(new Set(name)).join(" · ") || lz.word("unnamed") }),
        one.on ? null : lz.el("span", { class: "lz-off-note", text: lz.word("layer-off") }),
        one.on ? null : lz.button(lz.word("layer-show"), function (event) {
          lz.layers.show(one.layer, true);
          event.target.remove();
        }, { class: "lz-link" })
      ]));
    });
    if (!found.length) list.appendChild(lz.el("li", { text: lz.word("nothing-here") }));
    var at = event.latlng.lng.toFixed(6) + "°E\u2003" + event.latlng.lat.toFixed(6) + "°N";
    lz.popup(event.latlng, lz.el("div", { class: "lz-popup" }, [
      lz.el("h2", { text: lz.word("identify") }), lz.el("p", { class: "lz-hint", text: at }), list
    ]), 300);
  }

  function keys(event) {
    if (event.key !== "Escape") return;
    if (lz.measure.active()) lz.measure.toggle();
    else if (document.querySelector(".leaflet-popup")) lz.map.closePopup();
    else lz.panel.back();
  }

  // Cells of the relief wider than this on the screen are faded out, as they only darken the layers.
  var FINE_PX = 12;

  function relief(picture) {
    function fade() {
      var image = picture.getElement();
      if (!image || !image.naturalWidth) return;
      var cell = image.offsetWidth / image.naturalWidth, left = Math.max(0, Math.min(1, 2 - cell / FINE_PX));
      image.style.filter = left < 1 ? "opacity(" + left.toFixed(2) + ")" : "";
    }
    lz.map.on("zoomend", fade);
    picture.on("add load", fade);
  }

  // A link ends in #site=…&run=…: it opens the site, and warns if the document was made from other inputs.
  function linked() {
    var given = new URLSearchParams(window.location.hash.slice(1)), run = given.get("run") || "";
    var number = lz.review.sites.findIndex(function (site) { return site.id === given.get("site"); });
    if (number < 0) return false;
    lz.panel.open(number);
    if (run && lz.city.run && lz.city.run !== run) {
      lz.byId("lz-notice").hidden = false;
      lz.byId("lz-notice").textContent = lz.word("other-run", { run: run, own: lz.city.run });
    }
    return true;
  }

  lz.room = function () {
    var legend = lz.byId("lz-legend"), wide = lz.map.getSize().x > 700 && !lz.byId("lz-legend-body").hidden;
    if (lz.sheets.narrow()) return { paddingTopLeft: [12, 12], paddingBottomRight: [12, 28 + lz.sheets.hidden()] };
    return { paddingTopLeft: [52, 12], paddingBottomRight: [wide ? legend.offsetWidth + 20 : 20, 28] };
  };

  // Opens a popup that covers neither the tools on the left nor the legend on the right.
  lz.popup = function (at, content, width) {
    var room = lz.room(), size = lz.map.getSize();
    var free = size.x - 76 - room.paddingBottomRight[0] - 40;
    var fit = Math.max(220, Math.min(width, free));
    return L.popup({ maxWidth: fit, minWidth: fit, maxHeight: Math.max(160, size.y - 90), closeOnEscapeKey: false,
      autoPanPaddingTopLeft: [76, 12], autoPanPaddingBottomRight: [room.paddingBottomRight[0], 30]
    }).setLatLng(at).setContent(content).openOn(lz.map);
  };

  lz.home = function () { lz.map.fitBounds(lz.city.bounds, lz.room()); };

  lz.start = function (map, backdrop, tiles) {
    lz.map = map;
    lz.city = lz.read("city");
    lz.review = lz.read("review");
    if (!lz.city.notice) lz.byId("lz-notice").hidden = true;
    L.control.scale({ imperial: false, maxWidth: 140, position: "bottomleft" }).addTo(map);
    L.control.attribution({ prefix: false, position: "bottomright" }).addAttribution(lz.city.credit).addTo(map);
    bar();
    lz.sites.prepare();
    lz.layers.build(lz.read("layers"));
    lz.legend(backdrop, tiles);
    if (backdrop) relief(backdrop);
    lz.layers.all.forEach(function (entry, i) { if (entry.spec.role !== "zoning") lz.layers.show(i, true); });
    lz.layers.mask();
    lz.sites.build();
    lz.panel.build();
    lz.measure.build(lz.tool);
    lz.swipe(lz.city.former);
    footer();
    lz.sheets.build();
    lz.printing();
    map.on("click", identify);
    document.addEventListener("keydown", keys);
    map.invalidateSize({ animate: false });
    map.fitBounds(lz.city.bounds, Object.assign({ animate: false }, lz.room()));
    lz.inset();
    // A map of one site opens at that site.
    if (!linked() && lz.review.sites.length === 1) lz.panel.open(0);
    window.addEventListener("hashchange", linked);
    document.body.classList.add("lz-ready");
  };
})(lzgis);
