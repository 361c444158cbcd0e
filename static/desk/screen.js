/* The speaking time: counts down part by part. It asks nothing of the network once it is here, and shows the plain
   table where it cannot run. */
"use strict";
(() => {
  const parts = [...document.querySelectorAll("#parts [data-minutes]")].map((line) => ({
    title: line.querySelector(".title").textContent.trim(), seconds: 60 * Number(line.dataset.minutes),
  }));
  if (!parts.length) return;
  const by = (id) => document.getElementById(id);
  let at = 0, used = 0, since = null;  // the part, its milliseconds used before, and since when it runs
  const passed = () => used + (since === null ? 0 : performance.now() - since);
  const spoken = (seconds) => {
    const whole = Math.abs(seconds), two = (number) => String(number).padStart(2, "0");
    return `${seconds < 0 ? "+" : ""}${Math.floor(whole / 60)}:${two(whole % 60)}`;
  };

  function show() {
    const left = parts[at].seconds - Math.floor(passed() / 1000);
    by("who").textContent = parts[at].title;
    by("time").textContent = spoken(left);
    const isSoon = left <= 60 && left > 0 && parts[at].seconds > 60;
    document.body.classList.toggle("soon", isSoon);
    document.body.classList.toggle("late", left <= 0);
    by("over").textContent = left <= 0 ? by("over").dataset.words : isSoon ? by("over").dataset.soon : "";
    by("next").textContent = parts[at + 1] ? `${by("next").dataset.words} ${parts[at + 1].title}` : "";
    by("go").textContent = since === null ? by("go").dataset.go : by("go").dataset.stop;
    by("back").disabled = at === 0;
    by("forward").disabled = at === parts.length - 1;
    by("clock").textContent = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Zurich", hour: "2-digit", minute: "2-digit" }).format(new Date());
  }

  function go() {
    if (since === null) since = performance.now();
    else { used = passed(); since = null; }
    show();
  }

  function turn(to) {
    if (to < 0 || to >= parts.length) return;
    at = to;
    used = 0;
    since = null;
    show();
  }

  let lock = null;
  async function stayAwake() {  // a screen that sleeps in the middle of a statement helps nobody
    try { lock = await navigator.wakeLock.request("screen"); } catch { lock = null; }
  }

  by("go").addEventListener("click", () => { go(); if (!lock) stayAwake(); });
  by("back").addEventListener("click", () => turn(at - 1));
  by("forward").addEventListener("click", () => turn(at + 1));
  by("again").addEventListener("click", () => turn(at));
  by("full").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
  by("buttons").addEventListener("click", (event) => {  // after the mouse, Space is the clock's again
    if (event.detail) document.activeElement.blur();
  });
  document.addEventListener("keydown", (event) => {
    if (event.repeat && (event.key === " " || event.key === "Enter")) {  // held down it starts or stops once
      event.preventDefault();
      return;
    }
    if (event.target.closest("button, a") && (event.key === " " || event.key === "Enter")) return;
    if (event.key === " ") { event.preventDefault(); go(); }
    else if (event.key === "ArrowRight") turn(at + 1);
    else if (event.key === "ArrowLeft") turn(at - 1);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && lock) stayAwake(); });

  document.body.classList.add("runs");
  for (const id of ["stage", "buttons", "keys"]) by(id).hidden = false;
  show();
  setInterval(show, 250);
})();
