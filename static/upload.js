/* Sends a file in pieces and goes on by itself after a broken line. Without this script the form posts it whole. Its
   words come from the page; nothing of the file is kept in this browser. */
(() => {
  const problems = document.querySelector(".error-summary");
  if (problems) problems.focus();
  const box = document.querySelector("[data-upload]"), form = box && box.querySelector("form");
  const input = form && form.querySelector("[type=file]");
  if (!input || !input.files || !window.Promise) return;
  const words = box.dataset, going = box.querySelector(".upload-going");
  const [bar, told, stop] = going.children, buttons = form.querySelector(".actions");
  const language = document.documentElement.lang.replace(/^ar.*/, "ar-u-nu-latn");
  let request, stopped, wake = () => {}, spoke = 0;

  const tell = (text, bad) => {
    told.className = bad ? "error" : "";
    if (told.textContent !== text) told.textContent = text;
    bar.hidden = stop.hidden = !buttons.hidden;
    going.hidden = !text;
  };
  const number = (value, style) => new Intl.NumberFormat(language, { maximumFractionDigits: 1, ...style }).format(value);
  const size = (bytes) => {
    const [unit, short, value] = bytes < 1048576 ? ["kilobyte", "KB", bytes / 1024] : ["megabyte", "MB", bytes / 1048576];
    try { return number(value, { style: "unit", unit }); } catch { return `${number(value)} ${short}`; }
  };
  const moved = (sent, all) => {
    bar.value = sent / all;
    if (Date.now() - spoke < 2000) return; /* a screen reader says each one */
    spoke = Date.now();
    const share = number(Math.floor(100 * sent / all) / 100, { style: "percent" });
    tell(words.going.replace("{1}", share).replace("{2}", size(sent)).replace("{3}", size(all)));
  };
  const wrong = (file) => {
    const ending = /\.\w+$/.exec(file.name.toLowerCase());
    if (ending && !input.accept.split(",").includes(ending[0])) return words.other;
    return file.size > words.limit ? words.large : "";
  };
  const ask = (method, address, body, progress) => new Promise((answer, fail) => {
    request = new XMLHttpRequest();
    request.open(method, words.upload + address);
    request.timeout = 120000;
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    if (progress) request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => (request.status < 500 && request.status !== 429 ? answer(request) : fail());
    request.onerror = request.ontimeout = request.onabort = fail;
    request.send(body);
  });
  const facts = async (file, data) => {
    const known = new FormData();
    for (const name of ["name", "size"]) known.append(name, file[name]);
    known.append("kind", words.kind);
    try {
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
      known.append("sha256", [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    } catch { /* then it cannot be known again after this page */ }
    return known;
  };

  const send = async (file) => {
    const data = await file.arrayBuffer(), known = await facts(file, data);
    let key = "", at = -1, step = 65536, wait = 1;
    while (!stopped && at < data.byteLength) {
      try {
        const began = Date.now();
        const reply = at < 0
          ? await ask(key ? "GET" : "POST", key && `${key}/`, key ? null : known)
          : await ask("POST", `${key}/?from=${at}`, data.slice(at, at + step), (sent) => moved(at + sent, data.byteLength));
        const said = JSON.parse(reply.responseText.replace(/^[^{].*/s, "{}"));
        if (said.words) throw [said.words];
        if (!("received" in said)) return [key, reply.status];
        if (at >= 0) step = Date.now() - began < 2000 ? Math.min(step * 2, words.piece) : step;
        [key, at, wait] = [said.key || key, said.received, 1];
        moved(at, data.byteLength);
      } catch (refused) {
        if (refused) throw refused;
        if (stopped) return null;
        tell(words.broken);
        [at, step] = [-1, Math.max(step / 2, 16384)];
        await new Promise((go) => { wake = go; setTimeout(go, wait * 1000); });
        wait = Math.min(wait * 2, 30);
      }
    }
    return stopped ? null : [key, 200];
  };

  const show = (free) => { buttons.hidden = !free; (free ? buttons.firstElementChild : stop).focus(); };
  input.addEventListener("change", () => tell(input.files[0] ? wrong(input.files[0]) : "", true));
  addEventListener("online", () => wake());
  addEventListener("pageshow", () => { input.disabled = false; });
  stop.addEventListener("click", () => { stopped = true; request.abort(); wake(); });
  form.addEventListener("submit", async (event) => {
    const file = input.files[0], button = event.submitter;
    if (!file) return;
    event.preventDefault();
    if (wrong(file)) { tell(wrong(file), true); return; }
    stopped = false;
    buttons.hidden = false;
    show(false);
    tell(words.reading);
    stop.focus();
    let end = ["", 400];
    try { end = await send(file); } catch (refused) {
      if (Array.isArray(refused)) { show(true); tell(refused[0], true); return; }
    }
    if (!end) { show(true); tell(words.stopped); return; }
    const [key, status] = end;
    if (status === 200) { bar.value = 1; tell(words.arrived); }
    form.elements.upload.value = key;
    input.disabled = status !== 400; /* then it goes the plain way */
    if (button && button.name) {
      const pressed = document.createElement("input");
      Object.assign(pressed, { type: "hidden", name: button.name, value: button.value });
      form.append(pressed);
    }
    form.submit();
  });
})();
