/* Sends a file in pieces and goes on by itself after a broken line; without this script the form posts it whole. Its
   words come from the page, and nothing of the file stays in this browser. */
(() => {
  const problems = document.querySelector(".error-summary"), box = document.querySelector("[data-upload]");
  if (problems) problems.focus();
  const form = box.querySelector("form"), { file: input, upload, csrfmiddlewaretoken: token } = form.elements;
  const words = box.dataset, going = box.querySelector(".upload-going"), [bar, told, stop] = going.children;
  const begun = box.querySelector("[data-begun]");
  const buttons = form.querySelector(".actions"), language = document.documentElement.lang.replace("ar", "ar-u-nu-latn");
  const size = (bytes) => {
    const [unit, value] = bytes < 1048576 ? ["kilobyte", bytes / 1024] : ["megabyte", bytes / 1048576];
    return value.toLocaleString(language, { style: "unit", unit, maximumFractionDigits: 1 });
  };
  try { size(1); } catch { return; } /* an old browser: the plain way */
  let line, stopped, refused, wake = () => {}, spoke = 0;
  input.after(going); /* what is said of a file stands at its field */
  if (begun) begun.hidden = false;

  const tell = (text, running = false) => {
    told.textContent = text;
    told.className = running ? "" : "notice notice-warning";
    going.hidden = !text;
    bar.hidden = stop.hidden = !running;
    if (text && !running) told.focus();
    if (buttons.hidden === running) return;
    buttons.hidden = running;
    if (running) stop.focus();
  };
  const wrong = (file) => {
    const ending = /\.\w+$/.exec(file.name.toLowerCase());
    return ending && !input.accept.split(",").includes(ending[0]) ? words.other : file.size > words.limit ? words.large : "";
  };
  const ask = async (place, body) => {
    const mine = line = new AbortController(), headers = { "X-CSRFToken": token.value };
    setTimeout(() => mine.abort(), 120000);
    const reply = await fetch(words.upload + place, { body, headers, method: body ? "POST" : "GET", signal: mine.signal });
    if (reply.status > 499) throw reply;
    return /json/.test(reply.headers.get("Content-Type")) ? reply.json() : {};
  };
  const sum = async (data) => { /* without it the file is not known again on another page */
    const bytes = window.isSecureContext ? await crypto.subtle.digest("SHA-256", data) : [];
    return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  /* The key, once all has arrived or the server takes no more: then its page says why. "" when stopped or refused. */
  const send = async ({ name }, data) => {
    const all = data.byteLength, facts = new URLSearchParams({ name, size: all, kind: words.kind, sha256: await sum(data) });
    let key = "", at = -1, step = 32768, wait = 500;
    while (at < all) {
      const began = Date.now();
      try {
        const said = await (at < 0 ? ask(key && `${key}/`, key ? null : facts) : ask(`${key}/?from=${at}`, data.slice(at, at + step)));
        if (said.words) {
          input.value = "";
          return tell(refused = said.words);
        }
        if (!("received" in said)) break;
        if (at >= 0 && Date.now() - began < 4000) step = Math.min(step * 2, words.piece);
        [key, at, wait] = [said.key || key, said.received, 500];
        bar.value = at / all;
        if (Date.now() - spoke > 2000) { /* a screen reader says each one */
          spoke = Date.now();
          const share = bar.value.toLocaleString(language, { style: "percent" });
          tell(words.going.replace("{1}", share).replace("{2}", size(at)).replace("{3}", size(all)), true);
        }
      } catch {
        if (!stopped) tell(words.broken, true);
        [at, step, wait] = [-1, Math.max(step / 2, 16384), Math.min(wait * 2, 30000)];
        await new Promise((go) => { wake = go; setTimeout(go, stopped ? 0 : wait); });
      }
      if (stopped) return tell(words.stopped);
    }
    return { key };
  };

  input.onchange = () => {
    refused = input.files[0] ? wrong(input.files[0]) : "";
    if (refused) input.value = "";
    tell(refused);
  };
  stop.onclick = () => { stopped = true; line.abort(); wake(); };
  addEventListener("online", () => wake());
  addEventListener("pagehide", () => tell(""));
  form.addEventListener("submit", async (event) => {
    const file = input.files[0], pressed = event.submitter;
    if (!file && !refused) return;
    event.preventDefault();
    if (!file) return tell(refused, refused = ""); /* said once more; whoever presses again goes on without a file */
    stopped = false;
    tell(words.reading, true);
    const done = await send(file, await file.arrayBuffer());
    if (!done) return;
    tell(words.arrived, true);
    [upload.value, input.value] = [done.key, ""];
    if (pressed) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: pressed.name, value: 1 }));
    form.submit();
  });
})();
