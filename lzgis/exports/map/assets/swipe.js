// Swiping between two versions: left of the divider the changed layers as they were, right of it as they are.
(function (lz) {
  "use strict";
  var panes = { before: [], after: [] }, share = 0.5, on = false, line = null, slider = null, drawn = [];

  function clip() {
    if (!on) return;
    var size = lz.map.getSize(), from = lz.map.containerPointToLayerPoint([0, 0]), to = lz.map.containerPointToLayerPoint(size);
    var at = from.x + share * size.x;
    function rect(left, right) { return "rect(" + from.y + "px," + right + "px," + to.y + "px," + left + "px)"; }
    panes.before.forEach(function (pane) { pane.style.clip = rect(from.x, at); });
    panes.after.forEach(function (pane) { pane.style.clip = rect(at, to.x); });
    line.style.left = 100 * share + "%";
  }

  function show(specs, wanted) {
    on = wanted;
    specs.forEach(function (spec, i) {
      if (on && !drawn[i]) drawn[i] = lz.layers.drawIn(spec, "lz-former-" + i, 290 + i);
      if (on) drawn[i].addTo(lz.map); else drawn[i].remove();
    });
    panes.before = specs.map(function (_, i) { return lz.map.getPane("lz-former-" + i); });
    panes.after = [];
    lz.layers.all.forEach(function (entry, i) {
      if (!specs.some(function (spec) { return spec.id === entry.spec.id; })) return;
      if (on) lz.layers.show(i, true);
      panes.after.push(lz.map.getPane("lz-layer-" + entry.place));
    });
    panes.after = panes.after.filter(Boolean);
    line.hidden = slider.parentNode.hidden = !on;
    if (!on) panes.before.concat(panes.after).forEach(function (pane) { pane.style.clip = ""; });
    clip();
  }

  lz.swipe = function (specs) {
    if (!specs || !specs.length) return;
    line = lz.el("div", { class: "lz-swipe-line", attrs: { "aria-hidden": "true" } });
    slider = lz.el("input", { attrs: { type: "range", min: "0", max: "100", value: "50", "aria-label": lz.word("swipe") } });
    slider.addEventListener("input", function () { share = slider.value / 100; clip(); });
    var box = lz.el("div", { class: "lz-swipe" }, [
      lz.el("span", { class: "lz-data", text: lz.city.versions[0] }), slider, lz.el("span", { class: "lz-data", text: lz.city.versions[1] })
    ]);
    line.hidden = box.hidden = true;
    lz.byId("lz-main").append(line, box);
    L.DomEvent.disableClickPropagation(box);
    var button = lz.tool(lz.word("swipe"), "M11 3V19M7 7 3 11l4 4M15 7l4 4-4 4", function () {
      show(specs, !on);
      button.setAttribute("aria-pressed", String(on));
    });
    button.setAttribute("aria-pressed", "false");
    lz.map.on("move zoomend resize viewreset", clip);
  };
})(lzgis);
