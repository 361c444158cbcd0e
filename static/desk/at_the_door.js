/* The door list on a phone that may lose its line. Each tap is a note with a key of its own; it is kept on the device
   until the house says that it has it, and survives that the page is closed meanwhile. What is kept there are counts of
   missions, for half a day, and the words of questions, for as long as they wait. Where a browser keeps nothing, the page
   stays the plain form that it is. */
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const facts = by("kept").dataset, body = document.body;
  const MINE = `door:${facts.user}:`, KNOWN = "known:", BATCH = 100, ASK_EVERY = 20000, STIRRED = 600000, OLDEST = 43200000;
  try {
    localStorage.setItem("door:try", "1");
    localStorage.removeItem("door:try");
  } catch { return; }

  // --- What the device keeps ---
  const read = (name, usual) => {
    try { return JSON.parse(localStorage.getItem(MINE + name)) ?? usual; } catch { return usual; }
  };
  const write = (name, value) => localStorage.setItem(MINE + name, JSON.stringify(value));
  const queue = () => read("queue", []);
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  /* The house's clock, as far as this device knows it; never twice the same, so that the order stays. */
  function moment() {
    const at = Math.max(Math.round(Date.now() + read("ahead", 0)), read("last", 0) + 1);
    write("last", at);
    return at;
  }
  function learn(now, sent) {
    const ahead = now - (sent + Date.now()) / 2, known = read("ahead", null);
    if (Date.now() - sent < 10000 && (known === null || Math.abs(known - ahead) > 30000)) write("ahead", ahead);
  }
  if (body.dataset.now && read("ahead", null) === null) write("ahead", Number(body.dataset.now) - Date.now());

  // --- To the house ---
  let sending = false, locked = false, hasLine = navigator.onLine, wait = 5000, later = null, stirred = Date.now();

  async function ask(address, options = {}) {
    const sent = Date.now();
    const response = await fetch(address, {
      credentials: "same-origin", redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(15000), ...options,
    });
    const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
    if (!response.ok || !isJson) {
      if (response.status < 500) locked = true;  // the way in, or the question whether it is still you
      throw new Error(String(response.status));
    }
    locked = false;
    const answer = await response.json();
    learn(answer.now, sent);
    return answer;
  }

  async function flush() {
    const batch = queue().slice(0, BATCH);
    if (sending || !batch.length) return say();
    clearTimeout(later);
    sending = true;
    say();
    let answer = null;
    try {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": facts.token };
      answer = await ask(facts.notes, { method: "POST", headers, body: JSON.stringify({ user: facts.user, notes: batch }) });
    } catch { /* the line, or the log-in; the notes stay */ }
    sending = false;
    hasLine = Boolean(answer);
    if (answer) {
      wait = 5000;
      take(batch, answer);
      show();
      await look();
    } else {
      wait = Math.min(wait * 2, 60000);
    }
    say();
    if (queue().length) later = setTimeout(flush, answer ? 0 : wait);
  }

  function take(batch, answer) {
    const done = new Set([...answer.kept, ...Object.keys(answer.refused)]);
    const why = batch.filter((note) => note.key in answer.refused);
    if (why.length) write("refused", [...read("refused", []), ...why.map((note) => [note.label, answer.refused[note.key]])]);
    for (const note of batch) if (done.has(note.key)) standing(note);
    write("queue", queue().filter((note) => !done.has(note.key)));
  }

  /* Until the house says how things stand now, what it has just taken stands as it was sent. */
  function standing(note) {
    if (String(note.meeting) !== body.dataset.meeting) return;
    if (note.what === "came") came[note.mission] = [note.people, note.spoke];
    if (note.what === "asked") asked.push({ key: note.key, mission: note.who, to: note.whom, words: note.words });
    if (note.what === "taken_back") asked = asked.filter((one) => one.key !== note.question);
    remember();
  }

  /* How things stand, for a page that is opened again from what the device has kept: it is older than this. */
  function remember(at = asOf) {
    asOf = at;
    const short = asked.map(({ key, mission, to }) => ({ key, mission, to }));
    write(KNOWN + body.dataset.meeting, { at, came, asked: short });
  }
  function recall() {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(MINE + KNOWN)) continue;
      const known = read(name.slice(MINE.length), null);
      if (!known || Date.now() + read("ahead", 0) - known.at > OLDEST) localStorage.removeItem(name);
    }
    const known = read(KNOWN + body.dataset.meeting, null);
    if (known && known.at > asOf) ({ came, asked, at: asOf } = known);
  }

  function note(what) {
    stirred = Date.now();
    write("queue", [...queue(), { key: uuid(), at: moment(), meeting: Number(body.dataset.meeting), ...what }]);
    show();
    say();
    clearTimeout(later);
    later = setTimeout(flush, locked ? 0 : 400);  // a few quick taps go together
  }

  // --- What is said ---
  const put = (words, n) => words.replace("{n}", n);
  let before = null;
  function say() {
    const n = queue().length;
    const words = !n ? (rows.size ? facts.all : "") : put(locked ? facts.locked : hasLine ? facts.sending : facts.waiting, n);
    const others = elsewhere();
    const said = others ? `${words} ${put(facts.elsewhere, others)}` : words;
    if (said !== before) by("said").textContent = before = said;
    by("line").classList.toggle("waits", n > 0 && (locked || !hasLine) || others > 0);
    by("again").hidden = !(locked && n);
    by("again").href = location.pathname;
    sayRefused();
  }

  function elsewhere() {
    return Object.keys(localStorage).filter((name) => /^door:\d+:queue$/.test(name) && !name.startsWith(MINE))
      .reduce((sum, name) => { try { return sum + JSON.parse(localStorage.getItem(name)).length; } catch { return sum; } }, 0);
  }

  function sayRefused() {
    const list = read("refused", []);
    if (by("refused").children.length === list.length) return;
    by("refused").replaceChildren(...list.map(([what, why], at) => {
      const line = document.createElement("li"), button = document.createElement("button");
      line.append(`${facts.refused.replace("{what}", what).replace("{why}", why)} `, button);
      button.textContent = facts.seen;
      button.addEventListener("click", () => {
        write("refused", read("refused", []).filter((_one, place) => place !== at));
        by("refused").replaceChildren();
        say();
      });
      return line;
    }));
  }

  // --- The list ---
  const rows = new Map([...document.querySelectorAll("[data-mission]")].map((row) => [row.dataset.mission, row]));
  let came = Object.fromEntries([...rows].map(([key, row]) => [key, [Number(row.dataset.people), row.dataset.spoke === "1"]]));
  let asOf = Number(body.dataset.now || 0);
  let asked = [...document.querySelectorAll("#questions [data-key]")].map((line) => ({
    key: line.dataset.key, mission: line.querySelector("strong").textContent, to: line.querySelector("span").textContent, line,
  }));

  const waiting = () => queue().filter((one) => String(one.meeting) === body.dataset.meeting);
  const now = (key) => {
    const newest = waiting().filter((one) => one.what === "came" && String(one.mission) === key).at(-1);
    return newest ? [newest.people, newest.spoke] : came[key] ?? [0, false];
  };

  function show() {
    if (!rows.size) return;
    const ours = waiting(), unsent = new Set(ours.map((one) => String(one.mission)));
    let missions = 0, people = 0;
    for (const [key, row] of rows) {
      const [n, spoke] = now(key);
      missions += n > 0;
      people += n;
      row.dataset.people = n;
      row.querySelector("output").textContent = n;
      row.classList.toggle("waits", unsent.has(key));
      row.querySelector(".spoke")?.setAttribute("aria-pressed", spoke);
    }
    by("missions").textContent = missions;
    by("people").textContent = people;
    there();
    questions(ours);
  }

  function tap(button) {
    const row = button.closest("[data-mission]"), key = row.dataset.mission, most = Number(body.dataset.most);
    const [n, spoke] = now(key);
    let next = [n, spoke];
    if (button.className === "who") next = [Math.max(n, 1), spoke];
    if (button.className === "less") next = [Math.max(n - 1, 0), spoke && n > 1];
    if (button.className === "more") next = [Math.min(n + 1, most), spoke];
    if (button.className === "spoke") next = [Math.max(n, 1), !spoke];
    if (next[0] === n && next[1] === spoke) return;
    const words = facts.there.replace("{who}", row.dataset.name).replace("{n}", next[0]);
    note({ what: "came", mission: Number(key), people: next[0], spoke: next[1], label: words });
    by("told").textContent = words;
  }

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\bthe\b|['’ʼ`]/g, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  function search() {
    const wanted = fold(by("search").value);
    let found = 0;
    for (const row of rows.values()) {
      row.hidden = !row.dataset.find.includes(wanted);
      found += !row.hidden;
    }
    for (const group of document.querySelectorAll("#list .group")) group.hidden = !group.querySelector("li:not([hidden])");
    by("nobody").hidden = found > 0;
    return found;
  }

  // --- Questions ---
  function there() {
    const group = by("there"), keys = [...rows.keys()].filter((key) => now(key)[0] > 0);
    if (group.dataset.keys === keys.join()) return;
    const chosen = by("by").value;
    group.dataset.keys = keys.join();
    group.replaceChildren(...keys.map((key) => new Option(rows.get(key).dataset.name, key)));
    by("by").value = chosen;
  }

  function questions(ours) {
    const gone = new Set(ours.filter((one) => one.what === "taken_back").map((one) => one.question));
    const fresh = ours.filter((one) => one.what === "asked" && !asked.some((known) => known.key === one.key));
    const all = [...asked, ...fresh.map((one) => ({ key: one.key, mission: one.who, to: one.whom, words: one.words, waits: true }))];
    const shown = all.filter((one) => !gone.has(one.key));
    const signature = shown.map((one) => `${one.key}${Boolean(one.waits)}${Boolean(one.words)}`).join();
    by("number-asked").textContent = shown.length;
    if (by("questions").dataset.shown === signature) return;
    by("questions").dataset.shown = signature;
    by("questions").querySelector("ol").replaceChildren(...shown.map((one) => one.line ?? line(one)));
  }

  function line(one) {
    const item = document.createElement("li"), head = document.createElement("p"), foot = document.createElement("p");
    const who = document.createElement("strong"), whom = document.createElement("span"), back = document.createElement("button");
    item.dataset.key = one.key;
    who.textContent = one.mission;
    whom.dir = "auto";
    whom.textContent = one.to;
    head.append(who, " → ", whom);
    back.name = "taken_back";
    back.value = one.key;
    back.textContent = facts.back;
    foot.append(back, one.waits ? ` ${facts.here}` : "");
    item.append(head);
    if (one.words) {
      const words = document.createElement("p");
      words.dir = "auto";
      words.textContent = one.words;
      item.append(words);
    }
    item.append(foot);
    return item;
  }

  /* What other phones have noted. Not asked for ever: a phone that nobody touches is to be locked like any other. */
  async function look() {
    if (!body.dataset.state || document.hidden) return;
    try {
      const answer = await ask(body.dataset.state);
      came = answer.came;
      asked = answer.asked;
      remember(answer.now);
      show();
    } catch { /* it is asked again */ }
    say();
  }

  // --- Begin ---
  if (rows.size) {
    by("list").addEventListener("submit", (event) => {
      event.preventDefault();
      if (event.submitter) tap(event.submitter);
    });
    by("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const words = by("words").value.trim().replace(/\s+/g, " "), chosen = (list) => list.selectedOptions[0].text;
      const who = chosen(by("by")), whom = chosen(by("to"));
      note({ what: "asked", mission: Number(by("by").value) || null, to: by("to").value, words, who, whom, label: `${who} → ${whom}` });
      by("words").value = "";
    });
    by("questions").addEventListener("submit", (event) => {
      event.preventDefault();
      const key = event.submitter?.value, line = event.submitter?.closest("li");
      if (key) note({ what: "taken_back", question: key, label: line.querySelector("p").textContent });
    });
    by("search").addEventListener("input", search);
    by("search").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (search() !== 1) return;
      tap(document.querySelector("#list li:not([hidden]) .who"));
      by("search").select();
    });
    document.querySelector(".search").hidden = false;
    const tabs = [...document.querySelectorAll(".tabs a")];
    const turn = () => {
      const wanted = location.hash === "#asked" ? "#asked" : "#came";
      for (const tab of tabs) {
        const is = tab.hash === wanted;
        if (is) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
        document.querySelector(tab.hash).hidden = !is;
      }
    };
    addEventListener("hashchange", turn);
    turn();
    addEventListener("pointerdown", () => { stirred = Date.now(); });
    addEventListener("keydown", () => { stirred = Date.now(); });
    setInterval(() => { if (Date.now() - stirred < STIRRED) look(); }, ASK_EVERY);
    recall();
    show();
  }
  for (const name of ["online", "focus"]) addEventListener(name, () => { wait = 5000; flush(); look(); });
  addEventListener("storage", () => { show(); say(); });
  say();
  flush();
  look();

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("message", (event) => { if (event.data) by("opens").textContent = facts.opens; });
    navigator.serviceWorker.register(facts.worker).then(() => navigator.serviceWorker.ready).then(({ active }) => {
      const parts = [...document.querySelectorAll("link[rel=stylesheet], script[src]")].map((one) => new URL(one.href || one.src).pathname);
      active.postMessage([...facts.keep.split(" "), ...parts]);
    }).catch(() => { /* without it the page works until it is closed */ });
  }
})();
