// A form for one row of a model, its answer, and what-if. No dependency; any browser of today. Looks: form.css.
//
//   import { form } from "./form.js";
//   form(document.querySelector("main"), columns, async row => model.predict(row), { target: "price" });
//
// columns  model.json's "columns": name, kind (number, truth, moment, text), role, optional, and where known min, max, unit, levels, offered, usual, decimal.
// ask      takes a row {column: text, or null where the field is empty}; gives, also as a promise, { prediction } and, where there are any,
//          probabilities {class: p}, classes (their order), interval [low, high], warnings [text], or only { refused: why }.
//          It throws a RangeError where the model refuses the row, anything else where no answer can be had.
// about    target: what is predicted; unit: of the prediction.
// It gives { row(), fill(row), keep(), ask() }. Nothing of the data ever becomes HTML.

const FEW = 3, MANY = 20, WAIT = 120, SHOWN = 6;

function make(tag, set = {}, ...inside) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(set)) {
    if (typeof value === "string" && key !== "textContent" && key !== "value") e.setAttribute(key, value);
    else e[key] = value;
  }
  e.append(...inside.filter(part => part !== null));
  return e;
}

// ---- words ---------------------------------------------------------------------------------------------------------------------
const short = number => String(Number(number.toPrecision(6)));
const GROUPED = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 6 });
const figure = value => (typeof value === "number" ? GROUPED.format(value) : String(value));
const width = p => `${(100 * p).toFixed(1)}%`;
const percent = p => (p > 0 && p < 0.0005 ? "< 0.1 %" : p < 1 && p >= 0.9995 ? "> 99.9 %" : `${(100 * p).toFixed(1)} %`);
const signed = (number, write) => `${number < 0 ? "−" : "+"}${write(Math.abs(number))}`;
const withUnit = (text, unit) => (unit ? `${text} ${unit}` : text);
const visible = text => (text.trim() ? text : JSON.stringify(text));
const written = value => (value === null ? "unknown" : visible(value));
const offered = column => column.offered ?? column.levels; // one spelling of each thing
const isDate = column => column.role === "datetime" || column.kind === "moment";
const hasTime = column => [column.min, column.max].some(moment => /\d[T ]\d/.test(moment ?? ""));
const isNumber = column => !column.levels && !isDate(column) && (column.kind === "number" || column.role === "numeric");

function rangeOf(column) {
  if (column.min === undefined || column.max === undefined) return "";
  const write = isNumber(column) ? number => marked(number, column) : moment => String(moment).replace("T", " ");
  return withUnit(`${write(column.min)} to ${write(column.max)}`, column.unit);
}

const plain = unit => unit.toLowerCase().replaceAll("²", "2").replaceAll("³", "3");
const day = moment => String(moment).slice(0, 10);

// A number as the column has it: some are text with a decimal comma.
const marked = (number, column) => short(number).replace(".", column.decimal ?? ".");

// The number of a text that is bare or in the column's own unit; null where that cannot be told here.
function numberIn(text, { unit, decimal }) {
  const point = decimal === "," ? text.replace(/[.,]/g, mark => (mark === "," ? "." : ",")) : text;
  const found = /^([-+]?(?:\d[\d,']*\.?\d*|\.\d+)(?:e[-+]?\d{1,3})?) *(.*)$/i.exec(point.trim().replace(/\u2212/g, "-"));
  return found && (!found[2] || plain(found[2]) === plain(unit || "")) ? Number(found[1].replace(/[,']/g, "")) : null;
}

// A comma that can only be a decimal mark, as the number pad of many phones has it: 25,7 but not 1,200.
const pointed = (text, column) => (column.kind === "number" && /^\s*[-+\u2212]?\d+,(\d{1,2}|\d{4,})\s*$/.test(text) ? text.replace(",", ".") : text);

// Say what is unusual about a value of a column; null where nothing is.
export function warningOf(column, value) {
  if (value === null || value === undefined || value === "" || column.optional) return null;
  const text = String(value);
  if (isDate(column)) {
    const known = column.min && /^\d{4}-\d\d-\d\d/.test(text);
    return known && (day(text) < day(column.min) || day(text) > day(column.max)) ? `outside training: ${rangeOf(column)}` : null;
  }
  if (isNumber(column)) {
    if (!/\d/.test(text)) return "not a number";
    const number = typeof value === "number" ? value : numberIn(text, column);
    return number !== null && column.min !== undefined && (number < column.min || number > column.max) ? `outside training: ${rangeOf(column)}` : null;
  }
  if (!column.levels || column.more_levels) return null;
  const alike = level => level === text || (column.kind === "number" && Number(level) === Number(text));
  return column.levels.some(alike) ? null : "not seen in training";
}

// All warnings of a row, in words.
export const warningsOf = (columns, row) => columns.map(c => [c.name, warningOf(c, row[c.name])]).filter(([, found]) => found).map(([name, found]) => `${name}: ${found}`);

// ---- fields: each gives its box, and read() and write(text or null) --------------------------------------------------------------
const textual = (input, box = input) => ({ box, input, read: () => input.value || null, write: value => { input.value = value ?? ""; } });

function segments(id, column) {
  const levels = column.levels ?? ["false", "true"], box = make("div", { class: "mlf-segments" });
  const radios = [null, ...levels].map((level, i) => {
    const radio = make("input", { type: "radio", name: id, id: `${id}-${i}` });
    box.append(make("span", {}, radio, make("label", { for: radio.id, textContent: level === null ? "unknown" : visible(level) })));
    return [level, radio];
  });
  return {
    box, group: true, input: radios[0][1],
    read: () => radios.find(([, radio]) => radio.checked)?.[0] ?? null,
    write: value => { for (const [level, radio] of radios) radio.checked = level?.toLowerCase() === value?.toLowerCase(); }, // true is True
  };
}

function choice(id, column) {
  const levels = column.kind === "number" ? [...offered(column)].sort((a, b) => a - b) : offered(column), another = String(levels.length);
  const other = make("input", { type: "text", class: "mlf-another", "aria-label": `another value of ${column.name}`, hidden: true });
  const option = (text, value) => make("option", { textContent: text, value });
  const select = make("select", { id }, option("unknown", ""), ...levels.map((level, i) => option(visible(level), String(i))), option("another value …", another));
  const show = () => { other.hidden = select.value !== another; };
  select.addEventListener("change", () => { show(); if (!other.hidden) other.focus(); });
  return {
    box: make("div", {}, select, other), input: select,
    read: () => (select.value === another ? other.value || null : select.value ? levels[Number(select.value)] : null),
    write(value) {
      const at = value === null ? -1 : levels.indexOf(value);
      select.value = value === null ? "" : at < 0 ? another : String(at);
      if (at < 0) other.value = value ?? "";
      show();
    },
  };
}

function suggestions(id, column) {
  const list = make("datalist", { id: `${id}-levels` }, ...offered(column).map(level => make("option", { value: level })));
  const input = make("input", { id, type: "text", list: list.id, autocomplete: "off", autocapitalize: "off", spellcheck: false });
  return textual(input, make("div", {}, input, list));
}

function measured(id, column) {
  const mode = column.min < 0 ? "text" : "decimal"; // a phone's number pad has no minus
  const input = make("input", { id, type: "text", inputmode: mode, autocomplete: "off", autocapitalize: "off", spellcheck: false });
  const field = textual(input, make("div", { class: "mlf-measured" }, input, column.unit ? make("span", { textContent: column.unit, "aria-hidden": "true" }) : null));
  return { ...field, read: () => pointed(input.value, column) || null };
}

function fieldOf(id, column) {
  if (isDate(column)) return textual(make("input", { id, type: hasTime(column) ? "datetime-local" : "date" }));
  if (isNumber(column)) return measured(id, column);
  if (column.kind === "truth" || (column.role === "boolean" && column.levels?.length <= FEW)) return segments(id, column);
  if (column.levels && column.role !== "text") return offered(column).length > MANY ? suggestions(id, column) : choice(id, column);
  return textual(make("textarea", { id, rows: 2 }));
}

// What a field starts with: the usual value of training.
function startOf(column) {
  if (isDate(column)) return column.max ? String(column.max).replace(" ", "T").slice(0, hasTime(column) ? 16 : 10) : null;
  const usual = column.usual ?? column.levels?.[0] ?? null;
  return typeof usual === "number" ? marked(usual, column) : usual;
}

function button(text, act, more = {}) {
  const b = make("button", { type: "button", textContent: text, ...more });
  b.addEventListener("click", act);
  return b;
}

// A field with its label, hint and mark; `undone` is called where its value was set back.
function fieldset(id, column, undone) {
  const field = fieldOf(id, column), hint = make("p", { class: "mlf-hint", id: `${id}-hint` }), name = column.name || "(no name)";
  const label = field.group ? make("span", { class: "mlf-label", id: `${id}-label`, textContent: name }) : make("label", { class: "mlf-label", for: id, textContent: name });
  let before; // what the kept row has here; undefined where it is the same, or nothing is kept
  const was = make("span"), undo = button("undo", () => { field.write(before); undone(); field.input.focus(); }, { class: "mlf-undo", "aria-label": `undo ${name}` });
  const note = make("p", { class: "mlf-was", hidden: true }, was, undo), shell = make("div", { class: "mlf-field" }, label, field.box, hint, note);
  if (field.group) for (const [key, value] of [["role", "radiogroup"], ["aria-labelledby", label.id]]) field.box.setAttribute(key, value);
  (field.group ? field.box : field.input).setAttribute("aria-describedby", hint.id);
  if (field.box.classList.contains("mlf-measured") && column.unit) field.input.setAttribute("aria-label", `${name}, in ${column.unit}`);
  field.write(startOf(column));
  const mark = kept => {
    before = kept === field.read() ? undefined : kept;
    note.hidden = before === undefined;
    was.textContent = note.hidden ? "" : `was ${written(before)}`;
    const odd = warningOf(column, field.read());
    hint.textContent = odd ?? rangeOf(column);
    shell.classList.toggle("mlf-odd", odd !== null);
    return odd;
  };
  return { ...field, column, name, shell, mark };
}

// ---- the answer ----------------------------------------------------------------------------------------------------------------
const shares = answer => (answer.classes ?? Object.keys(answer.probabilities)).map(name => [String(name), answer.probabilities[name]]);
const shareOf = answer => (answer.probabilities ? answer.probabilities[answer.prediction] : null);

function refusal(answer) {
  return [make("p", { class: "mlf-big mlf-no", textContent: "no answer" }), make("p", { class: "mlf-why", textContent: answer.refused ? `The model refuses this row: ${answer.refused}.` : answer.trouble })];
}

function bars(answer, kept) {
  const all = shares(answer), shown = all.length > SHOWN ? [...all].sort((a, b) => b[1] - a[1]).slice(0, SHOWN) : all;
  const rows = shown.map(([name, p]) => {
    const before = kept?.probabilities?.[name], bar = make("span", { class: "mlf-fill" });
    bar.style.width = width(p);
    const tick = before === undefined ? null : make("span", { class: "mlf-before" });
    if (tick) tick.style.left = width(before);
    const track = make("span", { class: "mlf-track", "aria-hidden": "true" }, bar, tick);
    const change = before === undefined ? null : make("span", { class: "mlf-change", textContent: `${signed(100 * (p - before), v => v.toFixed(1))}` });
    return make("li", { class: name === String(answer.prediction) ? "mlf-chosen" : "" }, make("span", { class: "mlf-class", textContent: visible(name) }), track, make("span", { class: "mlf-share", textContent: percent(p) }), change);
  });
  const rest = all.length - shown.length;
  return make("ul", { class: "mlf-bars", "aria-label": "probabilities" }, ...rows, rest ? make("li", { class: "mlf-rest", textContent: `and ${rest} further classes` }) : null);
}

function difference(answer, kept, unit) {
  if (answer.refused || answer.trouble || kept.refused || kept.trouble) return "";
  if (typeof answer.prediction === "number" && !answer.probabilities) {
    const by = answer.prediction - kept.prediction, part = kept.prediction ? ` (${signed((100 * by) / Math.abs(kept.prediction), v => v.toFixed(1))} %)` : "";
    return by ? `${withUnit(signed(by, figure), unit)}${part}` : "no difference";
  }
  const label = answer.prediction === kept.prediction ? "" : `${kept.prediction} became ${answer.prediction}; `;
  if (!answer.probabilities) return label ? label.slice(0, -2) : "no difference";
  const by = 100 * (shareOf(answer) - kept.probabilities[answer.prediction]);
  return `${label}${answer.prediction}: ${signed(by, v => v.toFixed(1))} points`;
}

function said(answer, unit) {
  if (answer.refused) return `No answer: ${answer.refused}`;
  if (answer.trouble) return answer.trouble;
  const p = shareOf(answer);
  return `${withUnit(figure(answer.prediction), unit)}${p === null ? "" : `, ${percent(p)}`}`;
}

// ---- the whole -----------------------------------------------------------------------------------------------------------------
let forms = 0;

export function form(root, columns, ask, { target = "prediction", unit = "" } = {}) {
  const me = `mlf${(forms += 1)}`, fields = columns.map((column, i) => fieldset(`${me}-${i}`, column, () => soon(0)));
  let latest = 0, kept = null, answer = null, timer = 0;
  const row = () => Object.fromEntries(fields.map(f => [f.column.name, f.read()]));

  const now = make("div", { class: "mlf-now" }), gap = make("p", { class: "mlf-gap", hidden: true }), what = make("div", { class: "mlf-what", hidden: true }), status = make("p", { class: "mlf-said", role: "status", "aria-live": "polite" });
  const keeper = button("Keep this answer", () => keep(), { class: "mlf-keep", disabled: true });
  const usual = button("Usual values", () => fill(Object.fromEntries(columns.map(c => [c.name, startOf(c)])), fields[0]));
  const empty = button("Empty all", () => fill({}, fields[0]));
  const panel = make("section", { class: "mlf-answer", "aria-label": "answer" }, make("h2", { textContent: target }), now, gap, status);
  const more = make("section", { class: "mlf-more", "aria-label": "what if" }, what, make("div", { class: "mlf-acts" }, keeper, usual, empty));
  const inputs = make("form", { class: "mlf-inputs", autocomplete: "off", "aria-label": "row" });
  inputs.addEventListener("submit", event => event.preventDefault());
  const unused = fields.filter(f => f.column.optional);
  inputs.append(...fields.filter(f => !f.column.optional).map(f => f.shell));
  if (unused.length) inputs.append(make("details", { class: "mlf-unused" }, make("summary", { textContent: `${unused.length} that this model does not use` }), ...unused.map(f => f.shell)));

  const changed = () => (kept ? fields.filter((f, i) => f.read() !== kept.cells[i]) : []);
  const marks = () => fields.filter((f, i) => f.mark(kept?.cells[i]));

  function showKept() {
    const list = changed();
    what.hidden = kept === null;
    gap.hidden = !list.length;
    keeper.textContent = kept ? "Keep this one instead" : "Keep this answer";
    if (!kept) return;
    gap.textContent = difference(answer, kept.answer, unit);
    const back = button("Back to the kept row", () => { fields.forEach((f, i) => f.write(kept.cells[i])); soon(0); keeper.focus(); });
    const drop = button("Let it go", () => { kept = null; show(); keeper.focus(); });
    const changes = list.map(f => make("li", { textContent: `${f.name}: ${written(kept.cells[fields.indexOf(f)])} → ${written(f.read())}` }));
    what.replaceChildren(
      make("p", {}, make("strong", { textContent: "Kept: " }), said(kept.answer, unit), list.length ? "; since then:" : ". Change a field to see what it does."),
      make("ul", { class: "mlf-changes", "aria-label": "changed fields" }, ...changes),
      make("div", { class: "mlf-acts" }, list.length ? back : null, drop),
    );
  }

  function show() {
    const odd = marks();
    showKept();
    if (!answer) return;
    const no = answer.refused || answer.trouble, p = no ? null : shareOf(answer), notes = [...(answer.warnings ?? [])];
    if (odd.length) notes.unshift(`Unlike the rows of training: ${odd.map(f => f.name).join(", ")}.`);
    const parts = no ? refusal(answer) : [
      make("p", { class: "mlf-big" }, make("span", { textContent: visible(withUnit(figure(answer.prediction), unit)) }), p === null ? null : make("small", { textContent: percent(p) })),
      answer.interval ? make("p", { class: "mlf-interval", textContent: `likely ${answer.interval.map(figure).join(" to ")}` }) : null,
      answer.probabilities ? bars(answer, kept?.answer) : null,
    ];
    now.replaceChildren(...[...parts, notes.length ? make("ul", { class: "mlf-notes", "aria-label": "warnings" }, ...notes.map(note => make("li", { textContent: note }))) : null].filter(Boolean));
    keeper.disabled = Boolean(no);
    status.textContent = [`${target}: ${said(answer, unit)}.`, gap.hidden ? "" : gap.textContent, ...notes].filter(Boolean).join(" ");
  }

  async function answered(asked) {
    try {
      return (await ask(asked)) ?? { refused: "it has no answer" };
    } catch (error) {
      return error instanceof RangeError ? { refused: error.message } : { trouble: `No answer could be had: ${error.message}` };
    }
  }

  async function askNow() {
    const mine = (latest += 1);
    panel.setAttribute("aria-busy", "true");
    const found = await answered(row());
    if (mine !== latest) return; // a newer row was asked for
    answer = found;
    panel.removeAttribute("aria-busy");
    show();
  }

  function soon(wait = WAIT) {
    clearTimeout(timer);
    timer = setTimeout(askNow, wait);
    marks();
  }

  async function keep() {
    clearTimeout(timer);
    const cells = fields.map(f => f.read()), mine = (latest += 1), found = await answered(row());
    if (mine === latest) answer = found; // else a newer row was asked for: this one is kept all the same
    if (!found.refused && !found.trouble) kept = { cells, answer: found };
    show();
    status.textContent = `Kept. ${status.textContent}`;
  }

  function fill(values, then = null) {
    for (const f of fields) f.write(Object.hasOwn(values, f.column.name) && values[f.column.name] !== null ? String(values[f.column.name]) : null);
    soon(0);
    then?.input.focus();
  }

  inputs.addEventListener("input", () => soon());
  inputs.addEventListener("change", () => soon());
  root.classList.add("mlf");
  root.replaceChildren(make("div", { class: "mlf-side" }, panel, more), inputs);
  new ResizeObserver(() => root.style.setProperty("--mlf-answer", `${panel.offsetHeight}px`)).observe(panel);
  marks();
  askNow();
  return { row, fill, keep, ask: askNow };
}
