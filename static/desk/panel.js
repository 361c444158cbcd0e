/* The panel builder: lines move at once, by button or by hand, and the balance counts along. Without this script every
   button saves. The counting is that of applications/balance.py and rules.py. */
"use strict";
(() => {
  const form = document.getElementById("builder");
  if (!form) return;
  const said = document.getElementById("said");
  const lists = Object.fromEntries([...form.querySelectorAll("[data-list]")].map((list) => [list.dataset.list, list]));
  const meeting = Number(form.dataset.minutes), least = Number(form.dataset.least), most = Number(form.dataset.most);
  const number = (input) => Math.max(parseInt(input.value, 10) || 0, 0);
  const field = (name) => form.elements[name];
  const lines = (where) => [...lists[where].children];
  const minutesOf = (line) => line.querySelector(".minutes input");
  const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
  let changed = false;

  function shown(code, isTrue) {
    for (const warning of form.querySelectorAll(`[data-warning="${code}"]`)) warning.hidden = !isTrue;
  }

  function count() {
    const panel = lines("panel"), everybody = Object.keys(lists).flatMap(lines);
    const opening = number(field("opening_minutes")), floor = number(field("floor_minutes"));
    const speakers = sum(panel.map((line) => number(minutesOf(line)))), questions = meeting - opening - floor - speakers;
    document.getElementById("speakers-minutes").textContent = speakers;
    document.getElementById("question-minutes").textContent = questions;
    let at = 0;
    for (const [part, minutes] of [["opening", opening], ["floor", floor], ["speakers", speakers], ["questions", Math.max(questions, 0)]]) {
      const strip = form.querySelector(`.bar .${part}`);
      strip.setAttribute("x", at);
      strip.setAttribute("width", minutes);
      at += minutes;
    }
    const numbers = {
      speakers: panel.length,
      women: panel.filter((line) => line.dataset.gender === "woman").length,
      national: panel.filter((line) => line.dataset.national === "yes").length,
      nhris: panel.filter((line) => line.dataset.kind === "nhri").length,
      csos: panel.filter((line) => line.dataset.kind === "cso").length,
    };
    for (const output of form.querySelectorAll("[data-number]")) output.textContent = numbers[output.dataset.number];
    for (const counter of form.querySelectorAll("[data-count]")) counter.textContent = lines(counter.dataset.count).length;
    const covered = new Set(panel.flatMap((line) => line.dataset.themes.split(" ")));
    for (const theme of form.querySelectorAll("[data-theme-slug]")) {
      theme.classList.toggle("uncovered", !covered.has(theme.dataset.themeSlug));
    }
    shown("over", questions < 0);
    shown("few", questions >= 0 && questions < Number(form.dataset.few));
    shown("floor", form.dataset.floorWanted === "yes" && floor < 2);
    shown("women", panel.length > 0 && !numbers.women);
    shown("nhri", !numbers.nhris && everybody.some((line) => line.dataset.kind === "nhri"));
    shown("cso", panel.length > 0 && !numbers.csos);
    shown("national", numbers.national * 2 < panel.length);
  }

  function touched() {
    changed = true;
    form.querySelector(".unsaved").hidden = false;
    count();
  }

  function placed(line) {
    const where = line.parentElement.dataset.list;
    line.querySelector("[name=seat]").value = `${where} ${line.dataset.reference}`;
    const words = said.dataset[where === "-" ? "none" : where], place = lines(where).indexOf(line) + 1;
    said.textContent = words.replace("%name%", line.dataset.name).replace("%place%", place);
    touched();
  }

  function even() {
    const opening = number(field("opening_minutes")), floor = number(field("floor_minutes")), panel = lines("panel");
    const kept = Math.max(Math.floor(meeting / 3), opening + floor);
    const each = Math.min(Math.floor((meeting - kept) / Math.max(panel.length, 1)), most);
    for (const line of panel) minutesOf(line).value = Math.max(each, least);
    touched();
  }

  function usual(but) {
    const panel = lines("panel").filter((line) => line !== but).map((line) => number(minutesOf(line)));
    const left = meeting - number(field("opening_minutes")) - number(field("floor_minutes")) - sum(panel);
    return Math.max(least, Math.min(panel.length ? Math.max(...panel) : most, most, left));
  }

  function move(act, line, button) {
    const isShown = (one) => one && one.offsetParent !== null;
    if (act === "up") line.previousElementSibling?.before(line);
    else if (act === "down") line.nextElementSibling?.after(line);
    else if (act === "panel") {
      minutesOf(line).value = usual();
      if (line.dataset.kind === "nhri") lists.panel.prepend(line);
      else lists.panel.append(line);
    } else lists[act === "waiting" ? "waiting" : "-"].append(line);
    placed(line);
    (isShown(button) ? button : [...line.querySelectorAll(".moves button")].find(isShown))?.focus();
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=act]");
    if (!button || button.value === "save") return;
    event.preventDefault();
    const [act, reference] = button.value.split(":");
    if (act === "even") even();
    else move(act, document.getElementById(`row-${reference}`), button);
  });
  form.addEventListener("input", touched);
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

  /* By hand: a line follows the pointer from list to list, and goes home where it is let go elsewhere. */
  let dragged = null, home = null;
  for (const line of form.querySelectorAll(".line")) {
    line.draggable = true;
    line.addEventListener("dragstart", (event) => {
      dragged = line;
      home = { list: line.parentElement, before: line.nextElementSibling };
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", line.dataset.reference);
      line.classList.add("dragged");
    });
    line.addEventListener("dragend", (event) => {
      line.classList.remove("dragged");
      dragged = null;
      if (event.dataTransfer.dropEffect === "none") home.list.insertBefore(line, home.before);
      else if (line.parentElement !== home.list || line.nextElementSibling !== home.before) {
        if (line.parentElement === lists.panel && home.list !== lists.panel) minutesOf(line).value = usual(line);
        placed(line);
      }
    });
    for (const typed of line.querySelectorAll("input")) {  // selecting a number is no dragging
      typed.addEventListener("focus", () => { line.draggable = false; });
      typed.addEventListener("blur", () => { line.draggable = true; });
    }
  }
  for (const section of form.querySelectorAll(".lists section:has([data-list])")) {
    const list = section.querySelector("[data-list]");
    const takes = (line) => line && (list !== lists.waiting || line.querySelector(".to-waiting"));
    section.addEventListener("dragover", (event) => {
      if (!takes(dragged)) return;
      event.preventDefault();
      const after = [...list.children].find((one) => {
        const box = one.getBoundingClientRect();
        return one !== dragged && event.clientY < box.top + box.height / 2;
      });
      if (after) after.before(dragged);
      else list.append(dragged);
    });
    section.addEventListener("drop", (event) => { if (takes(dragged)) event.preventDefault(); });
  }
})();
