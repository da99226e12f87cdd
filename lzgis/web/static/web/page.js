// What every page does: files dropped, lists searched, actions confirmed.
(function () {
  "use strict";
  var drop = document.getElementById("drop"), files = document.getElementById("files");

  function tooLarge() {
    var size = Array.prototype.reduce.call(files.files, function (sum, one) { return sum + one.size; }, 0);
    var large = size > Number(files.dataset.most) * 1048576, said = document.getElementById("drop-problem");
    said.hidden = !large;
    said.textContent = large ? files.dataset.tooLarge : "";
    document.getElementById("drop-names").textContent = Array.prototype.map.call(files.files, function (one) { return one.name; }).join("， ");
    return large;
  }

  if (drop) {
    ["dragover", "dragenter"].forEach(function (name) {
      drop.addEventListener(name, function (event) { event.preventDefault(); drop.classList.add("over"); });
    });
    drop.addEventListener("dragleave", function () { drop.classList.remove("over"); });
    drop.addEventListener("drop", function (event) {
      event.preventDefault();
      drop.classList.remove("over");
      files.files = event.dataTransfer.files;
      if (files.files.length && !tooLarge()) drop.requestSubmit();
    });
    files.addEventListener("change", tooLarge);
    drop.addEventListener("submit", function (event) { if (tooLarge()) event.preventDefault(); });
  }

  var search = document.getElementById("activity-search");
  if (search) {
    var list = document.getElementById(search.dataset.target), all = Array.prototype.slice.call(list.options);
    search.addEventListener("input", function () {
      var word = search.value.trim().toLowerCase(), chosen = list.value;
      list.replaceChildren.apply(list, all.filter(function (one) {
        return !word || !one.value || (one.textContent + " " + (one.dataset.also || "") + " " + one.value).toLowerCase().indexOf(word) >= 0;
      }));
      list.value = chosen;
      if (list.selectedIndex < 0 && list.options.length) list.selectedIndex = 0;
    });
    search.addEventListener("keydown", function (event) {
      if (event.key !== "Enter") return;
      event.preventDefault();
      var first = Array.prototype.find.call(list.options, function (one) { return one.value; });
      if (first) { list.value = first.value; list.dispatchEvent(new Event("change", { bubbles: true })); }
    });
  }

  document.addEventListener("submit", function (event) {
    var sure = event.target.dataset.confirm;
    if (sure && !window.confirm(sure)) event.preventDefault();
  });
})();
