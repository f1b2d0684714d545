
"use strict";
(function () {
  var form = document.querySelector("form.filters");
  var cards = Array.prototype.slice.call(document.querySelectorAll("details.finding"));
  var kinds = ["severity", "capability", "rule", "operation"];

  function apply() {
    var shown = 0;
    cards.forEach(function (card) {
      var fits = kinds.every(function (kind) {
        var wanted = form.elements[kind].value;
        return wanted === "" || card.dataset[kind] === wanted;
      });
      card.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    form.querySelector("output").textContent = shown + " of " + cards.length + " findings shown";
  }

  function openTarget() {
    var card = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (card && card.matches("details.finding")) {
      if (card.hidden) { form.reset(); apply(); }
      card.open = true;
      card.scrollIntoView();
    }
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("change", apply);
    form.addEventListener("reset", function () { setTimeout(apply, 0); });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("click", function (event) {
      var all = event.target.dataset.all;
      if (all) { cards.forEach(function (card) { if (!card.hidden) { card.open = all === "open"; } }); }
    });
    document.addEventListener("click", function (event) {
      var pick = event.target.closest("a[data-pick-severity]");
      if (!pick) { return; }
      form.reset();
      form.elements.severity.value = pick.dataset.pickSeverity;
      form.elements.capability.value = pick.dataset.pickCapability;
      apply();
    });
    window.addEventListener("hashchange", openTarget);
    apply();
    openTarget();
  }

  var closed = [];
  window.addEventListener("beforeprint", function () {
    closed = Array.prototype.slice.call(document.querySelectorAll("details.finding:not([open])"));
    closed.forEach(function (card) { card.open = true; });
  });
  window.addEventListener("afterprint", function () {
    closed.forEach(function (card) { card.open = false; });
  });

  if (navigator.clipboard) {
    document.querySelectorAll("pre.copy").forEach(function (block) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(block.querySelector("code").textContent).then(function () {
          button.textContent = "Copied";
          setTimeout(function () { button.textContent = "Copy"; }, 1500);
        });
      });
      block.classList.add("copying");
      block.appendChild(button);
    });
  }
}());
