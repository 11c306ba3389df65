// Smoothness only: every page works without this file.
(() => {
  "use strict";
  const all = (selector, root = document) => root.querySelectorAll(selector);

  // What ends at a moment: nothing counts down and nothing is decided here; at that moment the server is asked.
  for (const thing of all("[data-ends]")) {
    const left = Date.parse(thing.dataset.ends) - Date.now();
    if (left > 0 && left < 86400000) setTimeout(() => location.reload(), left + 1000);
  }

  // A field that was refused is not wrong any more once it is being mended; the server looks again at the next try.
  const refused = () => [...all("[aria-invalid=true]")];
  for (const input of refused()) {
    const said = document.getElementById(input.getAttribute("aria-describedby"));
    const mend = () => {
      for (const same of refused().filter((other) => other === input || (said && other.getAttribute("aria-describedby") === said.id))) {
        same.removeAttribute("aria-invalid");
        if (said?.classList.contains("field__error")) same.removeAttribute("aria-describedby");
      }
      if (said?.classList.contains("field__error")) said.hidden = true;
      const list = document.getElementById("errors");
      if (list && !refused().length && !document.querySelector(".field__error:not([hidden])")) list.hidden = true;
    };
    for (const kind of ["input", "change"]) input.addEventListener(kind, mend, { once: true });
  }

  // A payment being confirmed: asks again while the page is seen, then slower.
  const wait = document.querySelector("[data-poll]");
  if (wait) {
    let pause = 1200;
    const ask = async () => {
      if (!document.hidden) {
        try {
          const answer = await fetch(wait.dataset.poll, { headers: { accept: "application/json" } });
          if (answer.ok && (await answer.json()).final) { location.reload(); return; }
        } catch { /* asked again below */ }
        pause = Math.min(10000, pause * 1.4);
      }
      setTimeout(ask, pause);
    };
    setTimeout(ask, pause);
  }

  // Steppers and choosers send their form by themselves.
  for (const input of all("[data-submit]")) input.addEventListener("change", () => input.form.requestSubmit());
  for (const button of all("[data-step]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const input = button.parentElement.querySelector("input");
      const next = Math.min(Number(input.max || 999), Math.max(Number(input.min || 1), Number(input.value) + Number(button.dataset.step)));
      if (String(next) !== input.value) { input.value = next; input.dispatchEvent(new Event("change")); }
    });
  }

  // The variant sheet shows price and stock of what is chosen; the server decides what is bought.
  for (const form of all("#pick form")) {
    const rows = JSON.parse(form.querySelector("#combinations")?.textContent || "[]");
    const lefts = form.dataset;
    const show = () => {
      const picked = [...all("input[type=radio]:checked", form)];
      const one = picked.find((input) => input.dataset.cost);
      const row = one ? { p: one.dataset.cost, n: Number(one.dataset.room) }
        : rows.find((r) => picked.length === r.v.length && r.v.every((value, i) => picked[i].value === value));
      if (!one && !rows.length) return;
      for (const left of all("[data-left]", form)) left.textContent = row ? (row.n ? lefts.left.replace("{n}", row.n) : lefts.out) : lefts.none;
      for (const button of all("button[name=add], button[name=buy]", form)) button.disabled = !row || !row.n;
      if (!row) return;
      for (const from of all("[data-from]")) from.remove();
      const [whole, cents] = row.p.split(".");
      for (const price of all("[data-price] .price")) price.replaceChildren(price.firstElementChild, whole, Object.assign(document.createElement("small"), { textContent: `.${cents}` }));
    };
    form.addEventListener("change", show);
  }

  // On a desk a filter applies when it is chosen; in the phone's drawer when all are.
  for (const form of all("[data-sieve]")) form.addEventListener("change", () => { if (matchMedia("(min-width: 56.25rem)").matches) form.requestSubmit(); });
  // A field left empty is not part of the address.
  for (const form of all("form[method=get]")) form.addEventListener("formdata", ({ formData }) => { for (const [name, value] of [...formData]) if (value === "") formData.delete(name); });

  // What one may be typing: a combobox over the search field. Enter without a choice searches, as without this script.
  for (const input of all("form[role=search] input[name=q]")) {
    const list = Object.assign(document.createElement("ul"), { className: "hints", id: "hints", hidden: true });
    const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "hints", autocomplete: "off" };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.getAttribute("aria-label"));
    input.form.append(list);
    let timer, asking, at = -1;
    const mark = (next) => {
      at = next;
      [...list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === at)));
      if (at < 0) input.removeAttribute("aria-activedescendant");
      else { input.setAttribute("aria-activedescendant", `hint${at}`); list.children[at].scrollIntoView({ block: "nearest" }); }
    };
    const open = (yes) => { list.hidden = !yes; input.setAttribute("aria-expanded", String(yes)); if (!yes) mark(-1); };
    const row = ({ text, note, url }, i) => {
      const made = Object.assign(document.createElement("li"), { className: "hint", id: `hint${i}` });
      made.setAttribute("role", "option");
      made.dataset.url = url;
      made.append(Object.assign(document.createElement("span"), { textContent: text }), Object.assign(document.createElement("small"), { textContent: note }));
      return made;
    };
    const ask = async () => {
      asking?.abort();
      asking = new AbortController();
      const q = input.value.trim();
      if (!q) { open(false); return; }
      try {
        const answer = await fetch(`/search/suggestions?q=${encodeURIComponent(q)}`, { signal: asking.signal });
        const { items } = await answer.json();
        if (document.activeElement !== input) return;
        list.replaceChildren(...items.map(row));
        mark(-1);
        open(items.length > 0);
      } catch { /* the field works as it is */ }
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(ask, 150); };
    input.addEventListener("input", (event) => { if (!event.isComposing) later(); });
    input.addEventListener("compositionend", later);
    input.addEventListener("keydown", (event) => {
      const n = list.children.length;
      if (event.isComposing) return;
      if (event.key === "Escape" && !list.hidden) { open(false); event.preventDefault(); }
      else if (["ArrowDown", "ArrowUp"].includes(event.key) && n) {
        event.preventDefault();
        if (list.hidden) open(true);
        mark(event.key === "ArrowDown" ? (at + 2) % (n + 1) - 1 : (at + n + 1) % (n + 1) - 1);
      } else if (event.key === "Enter" && at >= 0) { event.preventDefault(); location.assign(list.children[at].dataset.url); }
    });
    input.addEventListener("blur", () => open(false));
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => { const chosen = event.target.closest(".hint"); if (chosen) location.assign(chosen.dataset.url); });
  }

  // A large picture: its keys, and the focus inside while it is open.
  const zoomed = () => document.querySelector(".zoom:target");
  if (document.querySelector(".zoom")) {
    let from;
    const entered = () => {
      const view = zoomed();
      if (view) { from ||= document.querySelector(`a[href="${location.hash}"]`); view.querySelector("[data-close]").focus(); }
      else if (from) { from.focus({ preventScroll: true }); from = null; }
    };
    addEventListener("hashchange", entered);
    addEventListener("keydown", (event) => {
      const view = zoomed();
      if (!view) return;
      const to = { Escape: "[data-close]", ArrowLeft: "[data-prev]", ArrowRight: "[data-next]" }[event.key];
      const scrolls = view.querySelector(":checked") && event.key !== "Escape";
      if (to && !scrolls) { event.preventDefault(); view.querySelector(to)?.click(); }
      if (event.key !== "Tab") return;
      const stops = [...all("a, input, [tabindex]", view)];
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (document.activeElement === edge || !view.contains(document.activeElement)) { event.preventDefault(); (event.shiftKey ? stops.at(-1) : stops[0]).focus(); }
    });
  }

  // Copy buttons say that they copied.
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const said = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = said; }, 1600);
    });
  }

  // The phone's own share sheet, where there is one.
  for (const button of all("[data-share]")) {
    if (!navigator.share) continue;
    button.hidden = false;
    button.addEventListener("click", () => navigator.share({ title: button.dataset.title, text: button.dataset.text, url: button.dataset.share }).catch(() => {}));
  }

  // The address picker: the same selects, filled without leaving the page.
  const picker = document.querySelector("[data-picker]");
  if (picker) {
    picker.addEventListener("change", async (event) => {
      const select = event.target.closest("select[data-level]");
      if (!select) return;
      const level = Number(select.dataset.level);
      const selects = [...all("select[data-level]", picker)];
      for (const later of selects.slice(level + 1)) { later.length = 1; later.closest(".field").hidden = true; }
      picker.querySelector("[name=code]").value = select.value;
      if (!select.value || !selects[level + 1]) return;
      const answer = await fetch(`/divisions/${select.value}`);
      const { items } = await answer.json();
      if (!items.length) return;
      const next = selects[level + 1];
      for (const item of items) next.add(new Option(item.name, item.code));
      next.closest(".field").hidden = false;
    });
    const go = picker.querySelector("[data-nojs]");
    if (go) go.hidden = true;
  }

  // Choosing "a new address" opens its fields.
  for (const input of all("[data-opens]")) input.addEventListener("change", () => { document.getElementById(input.dataset.opens).open = true; });

  // One tap is one request.
  for (const form of all("form[method=post]")) {
    form.addEventListener("submit", () => {
      const button = form.querySelector("button:not([name])");
      if (button) setTimeout(() => { button.disabled = true; }, 0);
    });
  }
  addEventListener("pageshow", () => { for (const button of all("form[method=post] button[disabled]")) if (!button.hasAttribute("aria-disabled")) button.disabled = false; });
})();
