// The legal texts of a finding: its rule with its basis, and the admission list of its control unit.
(function (lz) {
  "use strict";

  function pairs(list) {
    var box = lz.el("dl", {});
    list.forEach(function (pair) {
      box.appendChild(lz.el("dt", { text: pair[0] }));
      box.appendChild(lz.el("dd", { class: "lz-data", text: pair[1] }));
    });
    return box;
  }

  function block(title, items) {
    if (!items.length) return null;
    return lz.el("section", { class: "lz-clause" }, [lz.el("h3", { text: title })].concat(items));
  }

  function entry(one) {
    return lz.el("article", {}, [lz.el("h4", { class: "lz-data", text: one.title }), pairs(one.facts)]);
  }

  function unit(one) {
    var lists = one.lists.map(function (list) {
      return lz.el("article", {}, [lz.el("h4", { class: "lz-data", text: list[0] }),
        lz.el("ul", {}, list[1].map(function (text) { return lz.el("li", { class: "lz-data", text: text }); }))]);
    });
    var name = lz.el("p", { class: "lz-data lz-hint", text: [one.title, one.class].filter(Boolean).join(" · ") });
    return block(lz.word("unit-list"), [name].concat(lists));
  }

  // The general requirements for the site, shown before the list of its unit.
  function general(number) {
    var box = lz.el("div", {}), level = null, heading = null, list = null, part = null;
    lz.review.sites[number].general.forEach(function (place) {
      var one = lz.review.general[place];
      if (one.level !== level) {
        level = one.level; heading = null;
        part = lz.el("section", { class: "lz-clause" }, [lz.el("h3", { text: level })]);
        box.appendChild(part);
      }
      if (one.heading !== heading || !list) {
        heading = one.heading;
        list = lz.el("ul", {});
        part.appendChild(lz.el("article", {}, [heading ? lz.el("h4", { class: "lz-data", text: heading }) : null, list]));
      }
      list.appendChild(lz.el("li", { class: "lz-data", text: one.clause }, one.source ?
        [lz.el("span", { class: "lz-hint", text: " " + one.source })] : []));
    });
    return box;
  }

  lz.clauses = {
    has: function (finding) { return finding[11] >= 0 || finding[12] >= 0; },

    open: function (number, finding, back) {
      var view = lz.byId("lz-clause-view"), rule = lz.review.rules[finding[11]];
      lz.clear(view);
      view.append(lz.el("div", { class: "lz-bar" }, [lz.button("‹ " + lz.word("back-to-site"), back)]));
      view.append(lz.el("h2", { class: "lz-data lz-name", text: rule ? rule.title : lz.ruleOf(finding) }));
      if (finding[12] >= 0) view.append(general(number), unit(lz.review.units[finding[12]]));
      if (rule) {
        view.append(pairs(rule.facts));
        [[lz.word("documents"), rule.documents], [lz.word("exceptions"), rule.unless]].forEach(function (one) {
          var made = block(one[0], one[1].map(entry));
          if (made) view.append(made);
        });
      }
      view.scrollTop = 0;
      view.querySelector("button").focus({ preventScroll: true });
    }
  };
})(lzgis);
