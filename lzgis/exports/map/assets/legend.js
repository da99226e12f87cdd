// The legend, which is also the layer control: a check box for each layer, with its colours below it.
(function (lz) {
  "use strict";

  // A swatch is drawn as the layer is, from the same style.
  function swatch(kind, style) {
    var box = { width: 22, height: 14, viewBox: "0 0 22 14", class: "lz-swatch", "aria-hidden": "true" };
    if (kind === "line") {
      var line = { d: "M1 7H21", fill: "none", stroke: style.stroke, "stroke-width": style.width, "stroke-dasharray": style.dash };
      var rim = { d: "M1 7H21", fill: "none", stroke: style.casing, "stroke-width": style.width + 2 };
      return lz.svg("svg", box, (style.casing ? [lz.svg("path", rim)] : []).concat([lz.svg("path", line)]));
    }
    if (kind === "point") {
      return lz.svg("svg", box, [lz.svg("circle", {
        cx: 11, cy: 7, r: 4, fill: style.fill || style.stroke, stroke: style.stroke, "stroke-width": style.width
      })]);
    }
    function area(more) { return lz.svg("rect", Object.assign({ x: 2, y: 2, width: 18, height: 10 }, more)); }
    var ribbon = { fill: "none", stroke: style.stroke, "stroke-width": Math.min(style.ribbon, 4), "stroke-opacity": 0.25 };
    return lz.svg("svg", box, (style.ribbon ? [area(ribbon)] : []).concat([area({
      fill: style.fill || "none", "fill-opacity": style.opacity, stroke: style.stroke, "stroke-width": style.width,
      "stroke-dasharray": style.dash
    })]));
  }

  function row(input, picture, title, status, source) {
    var text = lz.el("span", { class: "lz-row-text" }, [
      lz.el("span", { class: "lz-row-title lz-data", text: title || lz.word("unnamed"),
        title: source ? title + "\n" + source : title })
    ]);
    if (status) text.appendChild(lz.el("span", { class: "lz-tag lz-data", text: status }));
    return lz.el("label", { class: "lz-row" }, [input, picture, text]);
  }

  function check(on, change) {
    var input = lz.el("input", { attrs: { type: "checkbox" } });
    input.checked = on;
    input.addEventListener("change", function () { change(input.checked); });
    return input;
  }

  function layerRow(entry, i) {
    var spec = entry.spec, input = check(false, function (on) { lz.layers.show(i, on); });
    var picture = spec.entries.length ? lz.svg("svg", { width: 22, height: 14, class: "lz-swatch" }) :
      swatch(spec.kind, spec.style);
    var item = lz.el("li", { attrs: { "data-layer": spec.id } }, [row(input, picture, spec.title, spec.status, spec.source)]);
    if (spec.entries.length) {
      var list = lz.el("ul", { class: "lz-values" });
      spec.entries.forEach(function (one) {
        list.appendChild(lz.el("li", {}, [swatch(spec.kind, one.style),
          lz.el("span", { class: "lz-data", text: one.value })]));
      });
      if (spec.others) {
        list.appendChild(lz.el("li", {}, [swatch(spec.kind, spec.style), lz.el("span", { text: lz.word("others") })]));
      }
      item.appendChild(list);
    }
    entry.watch.push(function (on) { input.checked = on; item.classList.toggle("lz-off", !on); });
    item.classList.add("lz-off");
    return { item: item, input: input };
  }

  function group(title, rows) {
    var list = lz.el("ul", { class: "lz-rows" }, rows.map(function (one) { return one.item; }));
    var inputs = rows.map(function (one) { return one.input; }).filter(Boolean);
    var all = check(false, function (on) {
      inputs.forEach(function (input) { if (input.checked !== on) input.click(); });
    });
    function tally() {
      var on = inputs.filter(function (input) { return input.checked; }).length;
      all.checked = on === inputs.length;
      all.indeterminate = on > 0 && on < inputs.length;
    }
    rows.forEach(function (one) { if (one.watch) one.watch.push(tally); });
    list.addEventListener("change", tally);
    var box = lz.el("section", { class: "lz-group" }, [
      lz.el("h3", {}, [lz.el("label", {}, [all, lz.el("span", { text: title })])]), list
    ]);
    tally();
    return box;
  }

  function reviewGroup() {
    var sites = check(true, lz.sites.show), parts = check(true, lz.sites.showParts);
    var verdicts = lz.el("ul", { class: "lz-values" }), kinds = lz.el("ul", { class: "lz-values" });
    lz.city.verdicts.forEach(function (verdict, i) {
      verdicts.appendChild(lz.el("li", {}, [lz.sign(i, 16), lz.el("span", { text: verdict.title })]));
    });
    var own = lz.city.parts && lz.city.parts.map(function (part) { return part.title; });
    (own || ["prohibited", "conditional", "sliver"].map(function (kind) { return lz.word("parts-" + kind); }))
      .forEach(function (title, rank) {
        kinds.appendChild(lz.el("li", {}, [lz.sites.partSwatch(rank), lz.el("span", { text: title })]));
      });
    var around = check(true, lz.corridors.toggle), bands = lz.el("ul", { class: "lz-values" });
    lz.corridors.legend().forEach(function (one) {
      bands.appendChild(lz.el("li", {}, [one[0], lz.el("span", { text: lz.word(one[1]) })]));
    });
    return group(lz.word("group-review"), [
      { input: sites, item: lz.el("li", {}, [row(sites, null, lz.word("sites-by-verdict")), verdicts]) },
      { input: parts, item: lz.el("li", {}, [row(parts, null, lz.word("parts")), kinds]) }
    ].concat(own ? [] : [
      { input: around, item: lz.el("li", {}, [row(around, null, lz.word("corridors")), bands]) }
    ]));
  }

  function absent(body, title, reason, names) {
    if (!names.length) return;
    body.appendChild(lz.el("section", { class: "lz-group lz-missing" }, [
      lz.el("h3", { text: lz.word(title) }), lz.el("p", { text: lz.word(reason) }),
      lz.el("ul", {}, names.map(function (name) { return lz.el("li", { class: "lz-data", text: name }); }))
    ]));
  }

  function base(pictures, word, shown) {
    var input = check(shown, function (on) {
      pictures.forEach(function (one) { if (on) one.addTo(lz.map); else one.remove(); });
    });
    return { input: input, item: lz.el("li", {}, [row(input, null, lz.word(word))]) };
  }

  lz.legend = function (backdrop, tiles) {
    var body = lz.byId("lz-legend-body"), groups = { constraint: [], zoning: [], context: [] };
    body.appendChild(reviewGroup());
    lz.layers.all.forEach(function (entry, i) {
      var made = layerRow(entry, i);
      made.watch = entry.watch;
      groups[groups[entry.spec.role] ? entry.spec.role : "context"].push(made);
    });
    if (backdrop) groups.context.push(base([backdrop], "relief", true));
    if (tiles.length) groups.context.push(base(tiles, "tianditu", false));
    ["constraint", "zoning", "context"].forEach(function (role) {
      if (groups[role].length) body.appendChild(group(lz.word("group-" + role), groups[role]));
    });
    absent(body, "group-withheld", "withheld", lz.city.withheld);
    absent(body, "group-missing", "missing", lz.city.missing);
    var slider = lz.el("input", { attrs: { type: "range", min: "0", max: "100", value: "100", step: "5" } });
    slider.addEventListener("input", function () { lz.layers.opacity(slider.value / 100); });
    body.appendChild(lz.el("label", { class: "lz-slider" }, [lz.el("span", { text: lz.word("opacity") }), slider]));
    var fold = lz.byId("lz-legend-fold");
    fold.addEventListener("click", function () {
      var open = fold.getAttribute("aria-expanded") !== "true";
      fold.setAttribute("aria-expanded", String(open));
      body.hidden = !open;
    });
  };
})(lzgis);
