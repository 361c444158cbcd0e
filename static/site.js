/* What a page gains where scripts run; without them nothing is missing. Its words come from the data of its own tag.
   Nothing that somebody types is ever kept by this script, in this browser or elsewhere. */
(() => {
  const words = document.currentScript.dataset;
  const language = { en: "en-GB", ar: "ar-u-nu-latn", zh: "zh-CN" }[document.documentElement.lang.slice(0, 2)] || document.documentElement.lang;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const add = (place, name, text) => {
    const made = document.createElement(name);
    made.textContent = text;
    place.after(" ", made);
    return made;
  };

  /* The list of problems is read first, also where `autofocus` does nothing. */
  const problems = document.querySelector(".error-summary");
  if (problems) problems.focus();

  /* The reader's own clock, beside Geneva's and after it, where the two differ. */
  for (const time of all("main time[datetime*='T']")) {
    const told = time.getAttribute("datetime"), instant = new Date(told);
    const sign = told.slice(-6, -5), offset = (sign + 1) * (told.slice(-5, -3) * 60 + +told.slice(-2));
    if (isNaN(instant) || isNaN(offset) || offset === -instant.getTimezoneOffset()) continue;
    const wanted = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (instant.getDate() !== +told.slice(8, 10)) Object.assign(wanted, { weekday: "short", day: "numeric", month: "long" });
    add(time, "span", words.here.replace("{1}", new Intl.DateTimeFormat(language, wanted).format(instant))).className = "here";
  }

  /* How many words so far, counted as the server counts them. */
  const signs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu;
  const count = (text) => (text.match(signs) || []).length
    + text.replace(signs, " ").split(/\s+/).filter((word) => /[\p{L}\p{N}_]/u.test(word)).length;
  for (const field of all("textarea[data-words]")) {
    const limit = +field.dataset.words, told = add(field, "p", "");
    const tell = () => {
      const number = count(field.value);
      told.textContent = `${words.words} ${number} / ${limit}`;
      told.className = number > limit ? "error counted" : "hint counted";
    };
    let pause;
    tell();
    told.setAttribute("role", "status");
    field.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(tell, 300); });
  }

  /* Ask before typing is lost. A short form that anybody can fill again says data-brief. */
  const ask = (event) => { event.preventDefault(); event.returnValue = ""; };
  for (const form of all("main form[method=post]:not([data-brief])")) {
    const hold = () => addEventListener("beforeunload", ask);
    if (problems && form.querySelector("textarea, .field-bad")) hold();
    form.addEventListener("input", hold);
    form.addEventListener("submit", () => removeEventListener("beforeunload", ask));
  }
})();
