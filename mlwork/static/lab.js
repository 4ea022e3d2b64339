// The page side of every lab. Python writes HTML, this file shows it and sends back what a hand does.
//
//   <div data-part="steps">            Python's trait `steps` is shown here; what changes is changed in place, so focus and drags survive
//   <button data-do="undo">            a click sends {do: "undo"} with the other data attributes
//   <input data-set="edit" data-i="2"> a change sends {do: "edit", i: "2", value}; a slider sends while it moves, at most every 80 ms
//   <li data-card="2" data-key="k">    a card that is moved sends {do: "move", card: "k", to: 0} or, by keyboard, {…, by: -1}
//   <input data-local="search">        search, sort, tab, copy, cell: done here, Python need not know
//   <div data-brush>                   a box that is drawn over it sends {do: "brush", x0, x1, y0, y1}
//   <input data-local="dial">          a slider through the rows of the trait `table`; <span data-cut="5"> shows its column 5

const SLIDER_MS = 80, DIAL_MS = 150, BUSY_MS = 700;
const BUSY = "the kernel is running a cell; what you do here follows when it is done";

// ---- showing what Python wrote -------------------------------------------------------------------------------------------------
const keyOf = node => node.nodeType === 1 ? node.getAttribute("data-key") : null;
const sameKind = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

// Make `old` equal to `fresh`, keeping every node that can be kept.
function morph(old, fresh) {
  if (old.nodeType === 3 || old.nodeType === 8) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return syncValue(old, fresh);
  for (const { name } of Array.from(old.attributes)) if (!fresh.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
  morphChildren(old, fresh);
  syncValue(old, fresh);
}

// What the reader opened, found, sorted or turned to is his own: Python's next version does not undo it.
function isKept(node, name) {
  if (name === "open") return node.nodeName === "DETAILS";
  if (name === "hidden") return node.hasAttribute("data-words") || node.hasAttribute("data-panel");
  return name === "data-order" || (name === "aria-selected" && node.dataset.local === "tab");
}

function morphChildren(old, fresh) {
  const keyed = new Map([...old.children].filter(keyOf).map(child => [keyOf(child), child]));
  let at = old.firstChild;
  for (const wanted of Array.from(fresh.childNodes)) {
    const key = keyOf(wanted);
    const found = key ? keyed.get(key) : at && sameKind(at, wanted) && !keyOf(at) ? at : null;
    if (found && found.nodeName === wanted.nodeName) {
      if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      morph(found, wanted);
    } else {
      old.insertBefore(wanted.cloneNode(true), at);
    }
  }
  for (const gone of Array.from(old.childNodes).slice(fresh.childNodes.length)) gone.remove();
}

// Attributes say what a control was at first, properties what it is now. What is being typed or dragged is left alone.
function syncValue(old, fresh) {
  if (old.nodeName === "INPUT" || old.nodeName === "TEXTAREA") {
    if (old.type === "checkbox") old.checked = fresh.hasAttribute("checked");
    else if (old !== old.ownerDocument.activeElement && old.dataset.local !== "search") old.value = fresh.value;
  } else if (old.nodeName === "SELECT") {
    old.selectedIndex = Math.max([...fresh.options].findIndex(option => option.hasAttribute("selected")), 0);
  } else if (old.children?.length) {
    for (const [i, child] of [...old.children].entries()) if (fresh.children[i]) syncValue(child, fresh.children[i]);
  }
}

function showPart(place, text) {
  const focused = place.ownerDocument.activeElement;
  const fresh = place.cloneNode(false);
  fresh.innerHTML = text;
  morphChildren(place, fresh);
  if (place.contains(focused) && focused !== place.ownerDocument.activeElement) focused.focus({ preventScroll: true });
}

// ---- done on the page alone ----------------------------------------------------------------------------------------------------
const LOCAL = {
  // Show the rows whose words hold what is typed.
  search(input, root) {
    const wanted = input.value.trim().toLowerCase();
    for (const row of root.querySelectorAll("[data-words]")) row.hidden = !row.dataset.words.includes(wanted);
  },
  // Order the rows of a table by the column of this header; again: the other way round.
  sort(button) {
    const order = button.dataset.order === "down" ? "up" : "down";
    for (const other of button.closest("tr").querySelectorAll("[data-order]")) delete other.dataset.order;
    button.dataset.order = order;
    orderRows(button);
  },
  tab(button, root) {
    for (const other of button.parentNode.children) other.setAttribute("aria-selected", other === button);
    const { group, tab } = button.dataset;
    for (const panel of root.querySelectorAll(`[data-panel^="${group}:"]`)) panel.hidden = panel.dataset.panel !== `${group}:${tab}`;
  },
  copy: (button, root, lab) => navigator.clipboard.writeText(shownCode(root)).then(() => lab.say("copied")),
  cell(button, root, lab) {
    const done = insertCell(lab.model, shownCode(root)), next = () => root.closest(".jp-Cell")?.nextElementSibling?.querySelector(".cm-content");
    lab.say(done ? "the code is in the next cell" : "no notebook here: copy the code instead");
    if (done) setTimeout(() => next()?.focus(), 300); // where Shift and Enter run it
  },
  dial(input, root, lab) {
    lab.paint();
    lab.soon(timerOf(input), DIAL_MS, () => lab.set(input));
  },
};

function orderRows(button) {
  const body = button.closest("table").tBodies[0], { by, order } = button.dataset;
  const value = row => row.dataset[by] ?? "", compare = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  for (const row of [...body.rows].sort((a, b) => (order === "down" ? 1 : -1) * compare(a, b))) body.append(row);
}

const shownCode = root => [...root.querySelectorAll("[data-panel^='code:']")].find(panel => !panel.hidden).innerText.trim() + "\n";

// ---- a dial: what each position says was computed in Python and is looked up here ------------------------------------------------
const FIXED = [0, 1, 2, 3, 4].map(d => new Intl.NumberFormat("en", { minimumFractionDigits: d, maximumFractionDigits: d }));
const DIGITS = { count: () => 0, percent: () => 1, number: v => (Math.abs(v) >= 1000 ? 0 : Math.abs(v) >= 10 ? 2 : 3) };
const brief = v => String(Number(v.toPrecision(6)));
// Write a value and the ends of its interval, as `worded` does in Python.
function worded({ cut, as, of }, at) {
  let [value, ...ends] = cut.split(",").map(at);
  if (of !== undefined) [value, ends] = [of - value, ends.map(end => of - end).reverse()];
  const [times, unit] = as === "percent" ? [100, " %"] : [1, ""], say = v => as === "short" ? brief(v) : FIXED[DIGITS[as](v)].format(times * v);
  return say(value) + unit + (ends.length ? ` [${ends.map(say).join(", ")}]` : "");
}

// A mark knows the scale of its axes: a ring goes to a point, a line to a place across.
function moveMark(ring, at) {
  const [x, y] = ring.closest("[data-xy]").dataset.xy.split(",").map(at), [x0, perX, y0, perY] = ring.dataset.scale.split(",").map(Number);
  const places = y === undefined ? { x1: x0 + perX * x, x2: x0 + perX * x } : { cx: x0 + perX * x, cy: y0 + perY * y };
  for (const [name, place] of Object.entries(places)) ring.setAttribute(name, place);
}

// ---- the notebook around the lab -----------------------------------------------------------------------------------------------
// The only place that reaches into the notebook; `widget_manager` may become narrower, then code is copied instead.
const notebookOf = model => model.widget_manager?.context?.model;
const outputsOf = cell => Array.from({ length: cell?.outputs?.length ?? 0 }, (_, j) => cell.outputs.get(j));
const holds = (output, text) => String(output.data["text/html"] ?? "").includes(text);
const isOwn = model => output => holds(output, model.get("twin_id"));
const ownCell = model => [...(notebookOf(model)?.cells ?? [])].findIndex(cell => outputsOf(cell).some(isOwn(model)));
const ownOutputs = model => outputsOf(notebookOf(model)?.cells?.get(ownCell(model)));

function insertCell(model, source) {
  const shared = notebookOf(model)?.sharedModel, at = ownCell(model);
  return at >= 0 && shared?.insertCell?.(at + 1, { cell_type: "code", source: source.trimEnd(), metadata: {} });
}

// A reloaded page forgets which output belongs to which display id, so the twin is put right from here.
const twinIsOld = model => ownOutputs(model).length > 0 && !ownOutputs(model).some(output => holds(output, model.get("stamp")));

const renewTwin = (model, html) =>
  ownOutputs(model).filter(isOwn(model)).forEach(output => output.setData({ data: { ...output.data, "text/html": html } }));

// ---- moving cards --------------------------------------------------------------------------------------------------------------
// A card is named by its key, not by its place: events may be quicker than the page.
const cardKeyOf = node => node.closest("[data-card]")?.dataset.key;

// By mouse: drag. The drop goes before the card whose upper half is under the mouse.
function dragging(el, send) {
  let held = null;
  const listen = (type, act) => el.addEventListener(type, event => act(event, event.target.closest?.("[data-card]")));
  const ours = event => held && (event.preventDefault(), event.stopPropagation(), true);
  listen("dragstart", (event, card) => {
    if (!card) return;
    held = card;
    event.stopPropagation();
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("application/x-mlwork-card", card.dataset.card);
    card.classList.add("mlw-held");
  });
  listen("dragover", (event, card) => ours(event) && mark(el, card, event));
  listen("drop", (event, card) => {
    if (!ours(event)) return;
    const from = Number(held.dataset.card), before = card ? Number(card.dataset.card) + (isBelow(card, event) ? 1 : 0) : Infinity;
    const last = el.querySelectorAll("[data-card]").length - 1, to = Math.min(before > from ? before - 1 : before, last);
    if (to !== from) send({ do: "move", card: held.dataset.key, to });
  });
  listen("dragend", () => (held?.classList.remove("mlw-held"), mark(el, null), held = null));
}

const isBelow = (card, event) => event.clientY > card.getBoundingClientRect().top + card.offsetHeight / 2;
function mark(el, card, event) {
  for (const other of el.querySelectorAll(".mlw-before, .mlw-after")) other.classList.remove("mlw-before", "mlw-after");
  card?.classList.add(isBelow(card, event) ? "mlw-after" : "mlw-before");
}

// By keyboard: Space lifts a card, arrows move it, Space puts it down, Escape puts it back. Gives true if the key was ours.
function cardKey(event, lab) {
  const card = event.target.closest("[data-card]");
  if (!card || event.target !== card) return false;
  const cards = [...card.parentNode.querySelectorAll("[data-card]")], at = cards.indexOf(card), name = card.getAttribute("aria-label");
  const by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key], { key } = card.dataset;
  if (event.key === " ") {
    lab.lifted = lab.lifted ? null : { from: at };
    card.classList.toggle("mlw-lifted", lab.lifted !== null);
    lab.say(lab.lifted ? `${name}: lifted; arrows move it, Space puts it down, Escape puts it back` : `${name}: put down`);
  } else if (event.key === "Escape" && lab.lifted) {
    card.classList.remove("mlw-lifted");
    if (lab.lifted.from !== at) lab.send({ do: "move", card: key, to: lab.lifted.from });
    lab.lifted = null;
    lab.say(`${name}: put back`);
  } else if (by && lab.lifted) {
    lab.send({ do: "move", card: key, by });
  } else if (by) {
    cards[at + by]?.focus();
  } else if (event.key === "Enter") {
    lab.send({ do: "open", card: key });
  } else if (event.key === "Delete" || event.key === "Backspace") {
    (cards[at + 1] ?? cards[at - 1])?.focus();
    lab.send({ do: "remove", card: key });
  } else return false;
  event.preventDefault();
  return true;
}

// ---- brushing: a drag across a picture is sent as the corners of a box, as shares of its width and height -----------------------
function brushing(root, send) {
  let area = null, from = null;
  const place = event => {
    const { left, top, width, height } = area.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height].map(share => Math.min(Math.max(share, 0), 1));
  };
  const box = event => place(event).map((share, i) => [share, from[i]].sort((a, b) => a - b));
  root.addEventListener("pointerdown", event => {
    area = event.target.closest("[data-brush]");
    from = area && place(event);
    area?.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", event => {
    if (!from) return;
    const [[x0, x1], [y0, y1]] = box(event).map(ends => ends.map(share => 100 * share));
    area.firstElementChild.style.inset = `${y0}% ${100 - x1}% ${100 - y1}% ${x0}%`;
  });
  root.addEventListener("pointerup", event => {
    if (!from) return;
    const [[x0, x1], [y0, y1]] = box(event);
    if (x1 - x0 > 0.01 || y1 - y0 > 0.01) send({ do: "brush", x0, x1, y0, y1 });
    from = null;
  });
}

// ---- one lab -------------------------------------------------------------------------------------------------------------------
const timerOf = input => `${input.dataset.set} ${input.dataset.i} ${input.dataset.name}`;
class LabView {
  constructor(model, el) {
    Object.assign(this, { model, el, lifted: null, id: `${Date.now()} ${Math.random()}`, sent: 0, waiting: new Set(), timers: new Map(), undo: [] });
    this.root = el.ownerDocument.createElement("div");
    this.root.className = `mlw-lab mlw-live ${model.get("kind")}`;
    this.root.innerHTML = model.get("frame");
    el.append(this.root);
    this.status = this.root.querySelector("[data-status]");
    this.show();
    this.listen();
  }

  // Each part follows the trait of its name.
  show() {
    for (const place of this.root.querySelectorAll("[data-part]")) {
      const name = place.dataset.part, update = () => this.update(place, name);
      this.on(`change:${name}`, update);
      update();
    }
    this.on("change:table", () => setTimeout(() => this.settle())); // another scale: the slider stands where Python put it
    this.on("msg:custom", message => this.receive(message));
  }

  update(place, name) {
    showPart(place, this.model.get(name));
    for (const input of place.querySelectorAll("[data-local='search']")) if (input.value) LOCAL.search(input, this.root);
    for (const button of place.querySelectorAll("[data-local='sort'][data-order]")) orderRows(button);
    this.follow(place);
    this.paint();
    this.soon("twin", 1500, () => twinIsOld(this.model) && this.send({ do: "twin" }));
  }

  // A card that was opened comes into view. The row that is looked at is named by another part: the list need not be sent again.
  follow(place) {
    const card = place.querySelector("[data-card].mlw-open"), looked = this.root.querySelector("[data-looks]")?.dataset.looks;
    if (card && card.dataset.key !== this.opened) card.scrollIntoView({ block: "nearest" });
    if (place.querySelector("[data-card]")) this.opened = card?.dataset.key;
    for (const row of this.root.querySelectorAll("tr[aria-current]")) if (row.dataset.key !== looked) row.removeAttribute("aria-current");
    if (looked) this.root.querySelector(`tr[data-key="${CSS.escape(looked)}"]`)?.setAttribute("aria-current", "true");
  }

  // Show the dial's position, wherever a number or a mark comes from it.
  paint() {
    const slider = this.root.querySelector("[data-local='dial']"), bytes = this.model.get("table");
    if (!slider || !bytes?.byteLength) return;
    const table = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const rows = table.length / slider.dataset.columns, at = column => table[column * rows + Number(slider.value)];
    for (const place of this.root.querySelectorAll("[data-cut]")) place.textContent = worded(place.dataset, at);
    for (const ring of this.root.querySelectorAll("[data-xy] .mlw-mark")) moveMark(ring, at);
    slider.ariaValueText = this.root.querySelector("[data-cut]").textContent; // not the position, which says nothing
  }

  // What was refused is not what is: controls go back, and only a field keeps what was typed, to be mended.
  reset() {
    this.settle();
    for (const place of this.root.querySelectorAll("[data-part]")) this.update(place, place.dataset.part);
  }

  settle() {
    const active = this.el.ownerDocument.activeElement;
    if (active?.type === "range" && this.root.contains(active)) active.value = active.getAttribute("value");
    this.paint();
  }

  on(name, act) {
    this.model.on(name, act);
    this.undo.push(() => this.model.off(name, act));
  }

  receive(message) {
    this.waiting.delete(message.done);
    if (!this.waiting.size && this.status.className === "mlw-busy") this.say("");
    if (message.say !== undefined) this.say(message.say, message.wrong);
    if (message.wrong) this.reset();
    if (message.twin !== undefined) renewTwin(this.model, message.twin);
  }

  // Every event has a number, and Python answers it in this order. While an answer is missing, the kernel is busy, and the lab says so.
  send(message) {
    const n = ++this.sent;
    this.waiting.add(n);
    this.model.send({ ...message, n, view: this.id });
    setTimeout(() => this.waiting.has(n) && this.say(BUSY, false, true), BUSY_MS);
  }

  say(text, wrong = false, waits = false) {
    Object.assign(this.status, { textContent: text, className: waits ? "mlw-busy" : wrong ? "mlw-wrong" : "" });
  }

  soon(name, after, act) {
    clearTimeout(this.timers.get(name));
    this.timers.set(name, setTimeout(act, after));
  }

  listen() {
    const handlers = { click: "clicked", input: "typed", change: "changed" };
    for (const [type, act] of Object.entries(handlers)) this.root.addEventListener(type, event => this[act](event));
    dragging(this.root, message => this.send(message));
    brushing(this.root, message => this.send(message));
    // Jupyter listens for its shortcuts on the window (Notebook 7 in the capture phase): `b` would insert a cell, `d d` delete one.
    const guard = event => {
      if (!event.composedPath().includes(this.root) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.stopPropagation();
      if (event.type === "keydown") this.pressed(event);
    };
    const view = this.el.ownerDocument.defaultView;
    for (const type of ["keydown", "keypress"]) {
      view.addEventListener(type, guard, true);
      this.undo.push(() => view.removeEventListener(type, guard, true));
    }
  }

  clicked(event) {
    const local = event.target.closest("button[data-local]");
    if (local) return LOCAL[local.dataset.local](local, this.root, this);
    const target = event.target.closest("[data-do]");
    if (!target || target.disabled) return;
    const { do: name, key: _key, words: _words, ...rest } = target.dataset, card = cardKeyOf(target);
    this.send({ do: name, ...rest, card, more: event.ctrlKey || event.metaKey || event.shiftKey });
  }

  typed(event) {
    const input = event.target;
    if (input.dataset.local) return LOCAL[input.dataset.local](input, this.root, this);
    if (input.type !== "range" || !input.dataset.set) return;
    for (const shown of input.parentNode.querySelectorAll("output")) shown.value = input.value;
    this.soon(timerOf(input), SLIDER_MS, () => this.set(input));
  }

  // At once: a part that is written anew in between would put the old value back.
  changed({ target: input }) {
    if (!input.dataset.set) return;
    clearTimeout(this.timers.get(timerOf(input)));
    this.set(input);
  }

  set(input) {
    const { set: name, key: _key, words: _words, ...rest } = input.dataset, value = input.type === "checkbox" ? input.checked : input.value;
    this.send({ do: name, ...rest, card: cardKeyOf(input), value });
  }

  // Buttons and fields keep the keys they know; cards and tabs get theirs.
  pressed(event) {
    if (cardKey(event, this)) return;
    const tab = event.target.closest?.("[role=tab]"), step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!tab || !step) return;
    const tabs = [...tab.parentNode.children], next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  }

  close() {
    for (const act of this.undo) act();
    for (const timer of this.timers.values()) clearTimeout(timer);
  }
}

export default { render: ({ model, el }) => { const view = new LabView(model, el); return () => view.close(); } };
