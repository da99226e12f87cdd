// The panel: the list of sites with search and filter by verdict, and the findings of the opened site.
(function (lz) {
  "use strict";
  var chosen = new Set(), rows = [], chips = [], listed = [], query = "", open = -1;

  function folded(text) { return text.normalize("NFKC").toLowerCase(); }

  function chip(verdict, i) {
    var count = lz.review.sites.filter(function (site) { return site.verdict === i; }).length;
    var button = lz.el("button", { class: "lz-filter-chip", attrs: { type: "button", "aria-pressed": "false" },
      on: { click: function () {
        if (chosen.has(i)) chosen.delete(i); else chosen.add(i);
        button.setAttribute("aria-pressed", String(chosen.has(i)));
        filter();
      } } }, [
      lz.sign(i, 18), lz.el("span", { class: "lz-filter-text", text: verdict.title }),
      lz.el("span", { class: "lz-count", text: String(count) })
    ]);
    button.style.setProperty("--tone", verdict.colour);
    button.disabled = count === 0;
    return button;
  }

  function item(site, number) {
    var conflicts = lz.rulesOf(lz.conflicts(number)), second = site.coded ? [] : [site.id];
    if (site.activity) second.push(site.activity);
    if (site.shape < 0) second.push(lz.word("no-shape"));
    var verdict = lz.city.verdicts[site.verdict].title;
    var button = lz.el("button", { class: "lz-item", attrs: { type: "button" },
      on: { click: function () { lz.panel.open(number); } } }, [
      lz.sign(site.verdict, 20),
      lz.el("span", { class: "lz-item-text" }, [
        lz.el("span", { class: "lz-item-name lz-data", text: site.name, title: site.name }),
        lz.el("span", { class: "lz-item-more lz-data", text: second.join(" · ") })
      ]),
      lz.el("span", { class: "lz-item-side" }, [
        lz.el("span", { class: "lz-item-verdict", text: verdict }),
        conflicts ? lz.el("span", { class: "lz-item-count", text: lz.word("conflicts", { n: conflicts }) }) : null
      ])
    ]);
    button.style.setProperty("--tone", lz.city.verdicts[site.verdict].colour);
    return lz.el("li", { attrs: { "data-site": site.id.slice(0, 200) } }, [button]);
  }

  function filter() {
    listed = [];
    lz.review.sites.forEach(function (site, number) {
      var on = (!chosen.size || chosen.has(site.verdict)) && (!query || rows[number].text.indexOf(query) >= 0);
      rows[number].node.hidden = !on;
      if (on) listed.push(number);
    });
    var none = listed.length === 0;
    lz.byId("lz-status").textContent = none ? lz.word("no-match") :
      lz.word("shown", { n: listed.length, all: rows.length });
    lz.sites.only(listed.length === rows.length ? null : new Set(listed));
  }

  function step(by) {
    var at = listed.indexOf(open), next = listed[(at + by + listed.length) % listed.length];
    if (next !== undefined) lz.panel.open(next);
  }

  function views(name) {
    ["list", "detail", "clause"].forEach(function (one) { lz.byId("lz-" + one + "-view").hidden = one !== name; });
  }

  lz.panel = {
    build: function () {
      lz.city.verdicts.forEach(function (verdict, i) {
        chips.push(chip(verdict, i));
        lz.byId("lz-filter").appendChild(chips[i]);
      });
      var list = document.createDocumentFragment();
      lz.review.sites.forEach(function (site, number) {
        rows.push({ node: item(site, number), text: folded([site.name, site.id, site.activity]
          .concat(site.places || [], lz.city.verdicts[site.verdict].title).join("\n")) });
      });
      rows.map(function (row, i) { return i; }).sort(function (a, b) {
        return lz.review.sites[a].verdict - lz.review.sites[b].verdict || a - b;
      }).forEach(function (i) { list.appendChild(rows[i].node); });
      lz.byId("lz-list").appendChild(list);
      var search = lz.byId("lz-search");
      search.addEventListener("input", function () { query = folded(search.value.trim()); filter(); });
      lz.byId("lz-fold").addEventListener("click", lz.panel.fold);
      filter();
    },

    open: function (number) {
      var view = lz.byId("lz-detail-view");
      open = number;
      if (lz.sheets.narrow()) lz.sheets.show("list");
      lz.clear(view);
      view.append(
        lz.el("div", { class: "lz-bar" }, [
          lz.button("‹ " + lz.word("back"), lz.panel.close), lz.el("span", { class: "lz-space" }),
          lz.button(lz.word("previous"), function () { step(-1); }),
          lz.button(lz.word("next"), function () { step(1); })
        ]),
        lz.heading(number, "h2"),
        lz.button(lz.word("zoom"), function () { lz.sites.zoom(number); }, { class: "lz-link" }),
        lz.button(lz.word("print-whole"), lz.printWhole, { class: "lz-link" }),
        lz.findings(number)
      );
      views("detail");
      view.scrollTop = 0;
      view.querySelector("button").focus({ preventScroll: true });
      lz.panel.mark(number);
      lz.sites.select(number);
      lz.sites.zoom(number);
    },

    // Opens the legal texts of a finding; the back button returns to its table.
    clauses: function (number, finding) {
      if (document.body.classList.contains("lz-folded")) lz.panel.fold();
      if (open !== number) lz.panel.open(number);
      lz.map.closePopup();
      var from = lz.byId("lz-detail-view").scrollTop;
      views("clause");
      lz.clauses.open(number, finding, function () {
        views("detail");
        lz.byId("lz-detail-view").scrollTop = from;
        lz.byId("lz-detail-view").querySelector("button").focus({ preventScroll: true });
      });
    },

    back: function () {
      if (lz.byId("lz-clause-view").hidden) lz.panel.close();
      else lz.byId("lz-clause-view").querySelector("button").click();
    },

    close: function () {
      if (open < 0) return;
      views("list");
      rows[open].node.querySelector("button").focus();
      lz.sites.select(-1);
      lz.panel.mark(-1);
      open = -1;
    },

    isOpen: function () { return open >= 0; },

    // The open site, or else the one that is marked because its popup is open; -1 if there is none.
    shown: function () {
      return open >= 0 ? open : rows.findIndex(function (row) { return row.node.classList.contains("lz-marked"); });
    },

    // The sites in the list as it is filtered, in its order.
    listed: function () {
      return Array.from(lz.byId("lz-list").children).filter(function (node) { return !node.hidden; })
        .map(function (node) { return rows.findIndex(function (row) { return row.node === node; }); });
    },

    mark: function (number) {
      rows.forEach(function (row, i) { row.node.classList.toggle("lz-marked", i === number); });
      if (number >= 0 && open < 0) rows[number].node.scrollIntoView({ block: "nearest" });
    },

    fold: function () {
      var shut = document.body.classList.toggle("lz-folded");
      lz.byId("lz-fold").setAttribute("aria-expanded", String(!shut));
      lz.byId("lz-panel").inert = shut;
      lz.map.invalidateSize({ animate: false });
    }
  };
})(lzgis);
