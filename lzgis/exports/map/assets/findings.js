// The table of a site's findings, the same in the panel and in a popup.
(function (lz) {
  "use strict";
  var tones = ["prohibited", "conditional", "sliver", "unchecked", "notice", "clear", "not-applicable"];
  var CLEAR = 5, NOT_APPLICABLE = 6;

  function text(number) { return lz.review.pool[number]; }

  // Findings of a screening share their details; those of a comparison have their own.
  function details(own) { return Array.isArray(own) ? own : lz.review.details[own]; }

  function answer(finding) {
    var rank = finding[0], state = text(finding[4]), severity = text(finding[5]);
    return lz.el("td", { class: "lz-answer" }, [
      lz.el("span", { class: "lz-chip lz-t-" + tones[rank], text: state }),
      severity && rank < CLEAR ? lz.el("span", { class: "lz-severity", text: severity }) : null
    ]);
  }

  function body(number, finding) {
    var named = text(finding[3]), figures = text(finding[6]), pairs = details(finding[7]);
    var title = lz.el("th", { attrs: { scope: "row" } }, [
      lz.el("span", { class: "lz-rule lz-data", text: text(finding[1]) }),
      lz.el("span", { class: "lz-layer lz-data", text: text(finding[2]) + (named ? " · " + named : "") })
    ]);
    if (finding[8] >= 0 || finding[10] >= 0 || (finding[9] >= 0 && finding[0] < CLEAR)) {
      title.appendChild(lz.button(lz.word("locate"), function () { lz.sites.locate(finding); }, { class: "lz-link" }));
    }
    if (lz.clauses.has(finding)) {
      title.appendChild(lz.button(lz.word("clauses"), function () { lz.panel.clauses(number, finding); },
        { class: "lz-link lz-to-clauses" }));
    }
    var rows = [lz.el("tr", {}, [title, answer(finding)])];
    var list = lz.el("dl", {});
    if (figures) {
      list.appendChild(lz.el("dt", { text: lz.word("figures") }));
      list.appendChild(lz.el("dd", { class: "lz-figures lz-data", text: figures }));
    }
    for (var i = 0; i < pairs.length; i += 2) {
      list.appendChild(lz.el("dt", { text: text(pairs[i]) }));
      list.appendChild(lz.el("dd", { class: "lz-data", text: text(pairs[i + 1]) }));
    }
    if (list.children.length) rows.push(lz.el("tr", {}, [lz.el("td", { attrs: { colspan: "2" } }, [list])]));
    return lz.el("tbody", { class: "lz-finding lz-t-" + tones[finding[0]] }, rows);
  }

  function table(number, findings) {
    var head = lz.el("thead", {}, [lz.el("tr", {}, [
      lz.el("th", { text: lz.word("rule"), attrs: { scope: "col" } }),
      lz.el("th", { text: lz.word("answer"), attrs: { scope: "col" } })
    ])]);
    return lz.el("table", { class: "lz-table" }, [head].concat(findings.map(function (one) { return body(number, one); })));
  }

  function folded(number, findings, title) {
    var more = lz.el("details", { class: "lz-clear-list" }, [lz.el("summary", { text: title })]);
    more.addEventListener("toggle", function () {
      if (more.open && more.children.length === 1 && findings.length) more.appendChild(table(number, findings));
    });
    return more;
  }

  lz.conflicts = function (number) {
    return lz.review.findings[number].filter(function (finding) { return finding[0] <= 1; });
  };

  lz.ruleOf = function (finding) { return text(finding[1]); };

  // How many rules some findings are of; rules that `others` are of, which are graver, are not counted.
  lz.rulesOf = function (findings, others) {
    var before = new Set((others || []).map(lz.ruleOf));
    return new Set(findings.map(lz.ruleOf).filter(function (rule) { return !before.has(rule); })).size;
  };

  function factsOf(site) {
    var facts = lz.el("dl", { class: "lz-facts" });
    [[lz.word("site_id"), site.id], [lz.word("activity"), site.activity]].concat(site.lines.map(function (line) {
      return [text(line[0]), text(line[1])];
    })).forEach(function (pair) {
      if (!pair[1]) return;
      facts.appendChild(lz.el("dt", { text: pair[0] }));
      facts.appendChild(lz.el("dd", { class: "lz-data", text: pair[1] }));
    });
    return facts;
  }

  // The facts of a site and its findings, conflicts first, those not involved and not applicable collapsed.
  lz.findings = function (number) {
    var site = lz.review.sites[number], all = lz.review.findings[number];
    var open = all.filter(function (finding) { return finding[0] < CLEAR; });
    var clear = all.filter(function (finding) { return finding[0] === CLEAR; });
    var unmeant = all.filter(function (finding) { return finding[0] === NOT_APPLICABLE; });
    var block = lz.el("div", { class: "lz-findings" }, [factsOf(site)]);
    if (open.length) block.appendChild(table(number, open));
    if (clear.length) block.appendChild(folded(number, clear, lz.word("clear", { n: lz.rulesOf(clear, open) })));
    var count = lz.rulesOf(unmeant, open.concat(clear)) + (site.not_applicable || 0);
    if (count) block.appendChild(folded(number, unmeant, lz.word("not-applicable", { n: count })));
    if (!all.length) block.appendChild(lz.el("p", { class: "lz-empty", text: lz.word("no-findings") }));
    return block;
  };

  // The findings of a site in one line per rule, for printing; what is not involved is counted only.
  lz.brief = function (number) {
    var site = lz.review.sites[number], all = lz.review.findings[number], rows = new Map();
    all.forEach(function (finding) {
      var key = [finding[0], lz.ruleOf(finding)].join(" ");
      if (finding[0] < CLEAR) rows.set(key, (rows.get(key) || []).concat([finding]));
    });
    var head = lz.el("thead", {}, [lz.el("tr", {}, ["rule", "figures", "answer"].map(function (name) {
      return lz.el("th", { text: lz.word(name), attrs: { scope: "col" } });
    }))]);
    var body = lz.el("tbody", {}, Array.from(rows.values()).map(function (findings) {
      var parts = findings.map(function (finding) {
        return [text(finding[3]) || text(finding[2]), text(finding[6])].filter(Boolean).join(" ");
      });
      return lz.el("tr", { class: "lz-brief lz-t-" + tones[findings[0][0]] }, [
        lz.el("th", { class: "lz-data", text: lz.ruleOf(findings[0]), attrs: { scope: "row" } }),
        lz.el("td", { class: "lz-data", text: parts.join(lz.between) }), answer(findings[0])
      ]);
    }));
    var open = all.filter(function (finding) { return finding[0] < CLEAR; });
    var clear = all.filter(function (finding) { return finding[0] === CLEAR; });
    var unmeant = all.filter(function (finding) { return finding[0] === NOT_APPLICABLE; });
    var rest = [["clear", lz.rulesOf(clear, open)],
      ["not-applicable", lz.rulesOf(unmeant, open.concat(clear)) + (site.not_applicable || 0)]];
    var block = lz.el("div", { class: "lz-findings" }, [factsOf(site)]);
    if (rows.size) block.appendChild(lz.el("table", { class: "lz-brief-table" }, [head, body]));
    block.appendChild(lz.el("p", { text: rest.filter(function (one) { return one[1]; }).map(function (one) {
      return lz.word(one[0], { n: one[1] });
    }).join(lz.between) || (all.length ? "" : lz.word("no-findings")) }));
    return block;
  };

  lz.heading = function (number, level) {
    var site = lz.review.sites[number], verdict = lz.city.verdicts[site.verdict];
    var line = lz.el("p", { class: "lz-verdict" }, [lz.sign(site.verdict, 18), lz.el("strong", { text: verdict.title })]);
    line.style.color = verdict.colour;
    return lz.el("div", { class: "lz-heading" }, [lz.el(level, { class: "lz-data lz-name", text: site.name }), line]);
  };
})(lzgis);
