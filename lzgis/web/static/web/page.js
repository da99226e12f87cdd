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
    // What is chosen is sent at once, as what is dropped; the button is for browsers without scripts.
    document.getElementById("drop-send").hidden = true;
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
    files.addEventListener("change", function () { if (!tooLarge() && files.files.length) drop.requestSubmit(); });
    drop.addEventListener("submit", function (event) {
      if (tooLarge()) event.preventDefault();
      else document.getElementById("drop-busy").hidden = false;
    });
    // Back from the next page, the browser may show this one as it was left.
    window.addEventListener("pageshow", function () { document.getElementById("drop-busy").hidden = true; });
  }

  var search = document.getElementById("activity-search");
  if (search) {
    var list = document.getElementById(search.dataset.target), all = Array.prototype.slice.call(list.options);
    search.addEventListener("input", function () {
      var word = search.value.trim().toLowerCase(), chosen = list.value;
      list.replaceChildren.apply(list, all.filter(function (one) {
        return !word || !one.value || (one.textContent + " " + (one.dataset.also || "") + " " + one.value).toLowerCase().indexOf(word) >= 0;
      }));
      document.getElementById("activity-nothing").hidden = Array.prototype.some.call(list.options, function (one) { return one.value; });
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

  // Browsers word a missing entry in their own language; the page words it in its own.
  document.addEventListener("invalid", function (event) {
    if (event.target.validity.valueMissing) event.target.setCustomValidity(document.body.dataset.required);
  }, true);
  ["input", "change"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      if (event.target.setCustomValidity) event.target.setCustomValidity("");
    }, true);
  });

  // How many assumptions are still to be confirmed stands beside the button.
  var questions = document.getElementById("open-questions"), screen = document.getElementById("screen");
  if (questions && screen) {
    var tell = function () {
      var left = screen.querySelectorAll("fieldset.question input:required:not(:checked)").length;
      questions.textContent = left ? questions.dataset.open.replace("{count}", left) : questions.dataset.ready;
      questions.classList.toggle("warning", left > 0);
    };
    screen.addEventListener("change", tell);
    window.addEventListener("pageshow", tell);
    tell();
  }

  // A form in which a few of many are ticked says how many are, and waits until there are enough.
  document.querySelectorAll("form[data-few]").forEach(function (form) {
    var said = form.querySelector("[data-count]"), hint = said.textContent, button = form.querySelector("button[type=submit]");
    function count() {
      var many = form.querySelectorAll("input[type=checkbox]:checked").length;
      button.disabled = many < Number(form.dataset.few) && !(many === 1 && form.querySelector("input[name=job]"));
      said.textContent = many ? said.dataset.count.replace("{count}", many) : hint;
    }
    form.addEventListener("change", count);
    count();
  });

  document.addEventListener("submit", function (event) {
    var sure = event.target.dataset.confirm;
    if (sure && !window.confirm(sure)) event.preventDefault();
  });
})();
