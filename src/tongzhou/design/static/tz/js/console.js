// Smoothness of the console only: every page works without this file.
(() => {
  "use strict";
  const all = (selector, root = document) => root.querySelectorAll(selector);

  // Ticks bring up what they mean: how many, and how much.
  for (const form of all("[data-bulk]")) {
    const out = form.querySelector("[data-said]");
    if (!out) continue;
    const idle = out.textContent;
    const say = () => {
      const chosen = [...all("input[type=checkbox]:checked", form)];
      const minor = chosen.reduce((sum, box) => sum + Number(box.dataset.minor || 0), 0);
      const zero = out.dataset.zero || "0.00"; // how the mall writes nothing: its sign, its cents
      const cents = (zero.split(".")[1] || "").length;
      const sum = (minor / 10 ** cents).toLocaleString("en", { minimumFractionDigits: cents, maximumFractionDigits: cents });
      const amount = zero.replace(/[0-9.,]+/, sum);
      out.textContent = chosen.length ? out.dataset.said.replace("{n}", chosen.length).replace("{sum}", amount) : idle;
    };
    form.addEventListener("change", say);
    say();
  }

  // The slash goes to the search, as the key beside it says.
  const slash = document.querySelector("[data-slash]");
  if (slash) {
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
      event.preventDefault();
      slash.focus();
    });
  }

  // What was changed carries an amber edge and is counted; leaving asks first.
  const form = document.querySelector("form[data-form]");
  if (form) {
    const bar = document.querySelector("[data-dirty]");
    let sending = false;
    const changed = (field) => {
      if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
      if (field.tagName === "SELECT") return [...field.options].some((o) => o.selected !== o.defaultSelected) && [...field.options].some((o) => o.defaultSelected);
      return field.value !== field.defaultValue;
    };
    const fields = [...form.elements].filter((f) => f.name && f.type !== "hidden" && f.type !== "file" && f.tagName !== "BUTTON");
    const was = Number((bar && bar.dataset.was) || 0);
    const count = () => fields.filter((f) => { const is = changed(f); if (!f.hasAttribute("data-kept")) f.classList.toggle("is-changed", is); return is; }).length + was;
    const say = () => {
      const n = count();
      if (!bar) return;
      bar.classList.toggle("savebar--dirty", n > 0);
      const out = bar.querySelector("[data-said]");
      if (out) out.textContent = n ? out.dataset.said.replace("{n}", n) : out.dataset.idle;
    };
    for (const field of all(".is-changed", form)) field.setAttribute("data-kept", "");
    form.addEventListener("input", say);
    form.addEventListener("submit", () => { sending = true; });
    addEventListener("beforeunload", (event) => { if (!sending && count() > 0) event.preventDefault(); });
    say();
  }

  // Focus goes to what is wrong.
  const wrong = document.querySelector("[data-focus]");
  if (wrong) wrong.focus();
})();
