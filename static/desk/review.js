/* The review desk with the keyboard: Ctrl (or Command) and Enter save and go on; the next page then begins right before
   the first grade; nothing typed is lost by leaving. */
(() => {
  const form = document.getElementById("review-form");
  if (!form) return;
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[value=save]"));
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
  // Whoever comes from saving was led on twice, to what comes next and to its page; who comes from elsewhere, once.
  const { redirectCount } = performance.getEntriesByType("navigation")[0];
  if (redirectCount > 1 && !document.querySelector(".errornote, .messagelist .error")) {
    const heading = document.getElementById("assess");  // and not a grade: an arrow that should scroll would give one
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
})();
