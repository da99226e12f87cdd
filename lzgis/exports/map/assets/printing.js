// Printing: the open site or the part of the map that is seen, at a round scale, and the open site with its findings, or the list of sites.
(function (lz) {
  "use strict";
  var whole = false;
  var PX_M = 0.0254 / 96, LEAST = 2000, STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

  function listTable() {
    var judged = !lz.city.parts;
    var table = lz.el("table", {}, [lz.el("thead", {}, [lz.el("tr", {},
      ["site_id", "site_name", "activity", "verdict"].concat(judged ? ["prohibited", "conditional"] : []).map(function (name) {
        return lz.el("th", { text: lz.word(name) });
      }))])]);
    var body = lz.el("tbody", {});
    lz.panel.listed().forEach(function (number) {
      var site = lz.review.sites[number];
      var rules = (judged ? [0, 1] : []).map(function (rank) {
        var found = lz.review.findings[number].filter(function (finding) { return finding[0] === rank; });
        return Array.from(new Set(found.map(lz.ruleOf))).join(lz.between);
      });
      var verdict = lz.el("td", {}, [lz.sign(site.verdict, 14),
        lz.el("span", { text: " " + lz.city.verdicts[site.verdict].title })]);
      var cells = [site.id, site.name, site.activity].map(function (text) {
        return lz.el("td", { class: "lz-data", text: text });
      });
      body.appendChild(lz.el("tr", {}, cells.concat([verdict], rules.map(function (text) {
        return lz.el("td", { class: "lz-data", text: text });
      }))));
    });
    table.appendChild(body);
    return [lz.el("h2", { text: lz.word("list-title") }), table];
  }

  function fill() {
    var box = lz.byId("lz-print-list"), number = lz.panel.shown();
    lz.clear(box);
    box.classList.toggle("lz-print-site", number >= 0);
    (number < 0 ? listTable() : [lz.heading(number, "h2"), whole ? lz.findings(number) : lz.brief(number)]).forEach(function (one) {
      box.appendChild(one);
    });
  }

  // Metres on the ground of one pixel in the middle of the map.
  function metres() {
    var middle = lz.map.getSize().divideBy(2);
    return lz.map.distance(lz.map.containerPointToLatLng(middle),
      lz.map.containerPointToLatLng(middle.add([0, 100]))) / 100;
  }

  // The next round scale at which the given bounds are still on the sheet.
  function fit(bounds, least) {
    var snap = lz.map.options.zoomSnap;
    lz.map.options.zoomSnap = 0;
    lz.map.fitBounds(bounds, { animate: false });
    var scale = Math.max(metres() / PX_M, least), ten = Math.pow(10, Math.floor(Math.log10(scale)));
    var round = STEPS.find(function (step) { return step * ten >= scale * 0.999; }) * ten;
    lz.map.setZoom(lz.map.getZoom() - Math.log2(round / scale), { animate: false });
    lz.map.options.zoomSnap = snap;
    lz.byId("lz-print-scale").textContent = lz.word("print-scale", { scale: round.toLocaleString("en-US") });
  }

  // Print the open site as large as the sheet and the least scale allow if all of it is in view, else the view.
  function show(view) {
    var open = lz.panel.shown(), own = open >= 0 ? lz.sites.boundsOf(open) : null;
    if (own && view.contains(own)) fit(own.pad(0.06), LEAST); else fit(view, 0);
  }

  // Print the open site with the basis of every finding, which takes more sheets.
  lz.printWhole = function () { whole = true; window.print(); };

  lz.printing = function () {
    var paper = window.matchMedia("print"), seen = null;
    function look() {
      if (paper.matches) return;
      var map = lz.map, size = map.getSize(), room = lz.room();
      seen = { centre: map.getCenter(), zoom: map.getZoom(), bounds: L.latLngBounds(
        map.containerPointToLatLng(room.paddingTopLeft),
        map.containerPointToLatLng([size.x - room.paddingBottomRight[0], size.y - room.paddingBottomRight[1]])) };
    }
    lz.map.on("moveend", look);
    paper.addEventListener("change", function () {
      var before = seen;
      lz.map.invalidateSize({ animate: false, pan: false });
      if (paper.matches) { fill(); show(before.bounds); } else lz.map.setView(before.centre, before.zoom, { animate: false });
    });
    window.addEventListener("beforeprint", fill);
    window.addEventListener("afterprint", function () { whole = false; });
    lz.byId("lz-print").addEventListener("click", function () { window.print(); });
    fill();
  };
})(lzgis);
