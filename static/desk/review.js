/* The review desk with the keyboard: Ctrl (or Command) and Enter save and go on; nothing typed is lost by leaving. */
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
})();
