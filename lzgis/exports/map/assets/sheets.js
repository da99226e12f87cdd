// On a narrow screen list, legend and notes are sheets below the map, one at a time, opened by the bar at the foot.
(function (lz) {
  "use strict";
  var NAMES = ["list", "legend", "notes"], narrow = window.matchMedia("(max-width: 720px)"), open = "";

  function buttons() { return Array.from(document.querySelectorAll("#lz-tabs button")); }

  function show(name) {
    open = name;
    NAMES.forEach(function (one) { document.body.classList.toggle("lz-sheet-" + one, narrow.matches && one === name); });
    buttons().forEach(function (one) { one.setAttribute("aria-pressed", String(one.dataset.sheet === name)); });
    lz.byId("lz-panel").inert = narrow.matches ? name !== "list" : document.body.classList.contains("lz-folded");
  }

  lz.sheets = {
    narrow: function () { return narrow.matches; },
    show: show,

    // The part of the map in pixels that the open sheet hides.
    hidden: function () {
      var id = { list: "lz-panel", legend: "lz-legend", notes: "lz-footer" }[open];
      return narrow.matches && id ? lz.byId(id).offsetHeight : 0;
    },

    build: function () {
      buttons().forEach(function (one) {
        one.addEventListener("click", function () { show(one.dataset.sheet === open ? "" : one.dataset.sheet); });
      });
      narrow.addEventListener("change", function () { show(""); lz.map.invalidateSize({ animate: false }); });
      show("");
    }
  };
})(lzgis);
