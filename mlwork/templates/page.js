// The page at / of a served model: the form of form.js, answered by /predict. Nothing of the data ever becomes HTML here.
// Where a key is needed, it is the door of /docs and /openapi.json as well: a link cannot send a key, and no address ever holds one.
import { form } from "./form.js";

const $ = id => document.getElementById(id);
const store = { get: () => sessionStorage.getItem("mlwork-key"), set: key => sessionStorage.setItem("mlwork-key", key) };

async function call(path, body, read = reply => reply.json()) {
  const headers = body ? { "content-type": "application/json" } : {};
  if (store.get()) headers["x-api-key"] = store.get();
  const reply = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const found = await (reply.ok ? read(reply) : reply.json());
  if (reply.status === 401) door();
  if (!reply.ok && !found.answers) throw Object.assign(new Error(found.error ?? `status ${reply.status}`), { status: reply.status });
  return found;
}

function door() {
  $("door").hidden = false;
  $("key").focus();
}

async function ask(row) {
  const found = (await call("predict", { rows: [row] })).answers[0];
  if (found.error) return { refused: found.error };
  const { prediction, probabilities, interval, warnings } = found;
  return { prediction, probabilities, interval: interval && [interval.low, interval.high], warnings: warnings.map(w => w.message) };
}

function bar(part, largest) {
  const line = document.createElement("li"), name = document.createElement("span"), track = document.createElement("progress"), share = document.createElement("span");
  name.textContent = part.column;
  track.max = largest;
  track.value = Math.abs(part.share);
  track.className = part.share < 0 ? "less" : "more";
  share.textContent = `${part.share < 0 ? "−" : "+"}${Number(Math.abs(part.share).toPrecision(3))}`;
  line.append(name, track, share);
  return line;
}

async function why(row) {
  const box = $("parts"), list = document.createElement("ul"), head = document.createElement("h2"), note = document.createElement("p");
  box.hidden = false;
  box.replaceChildren("thinking …");
  try {
    const found = await call("explain", { rows: [row] });
    const what = found.label === null ? "the answer" : `the probability of ${found.label}`, number = v => Number(v.toPrecision(4));
    head.textContent = `What made ${what} ${number(found.prediction)}, where it is ${number(found.average)} on average`;
    list.append(...found.parts.slice(0, 8).map(part => bar(part, Math.abs(found.parts[0].share) || 1)));
    note.textContent = `Compared with ${found.compared_with}.`;
    box.replaceChildren(head, list, note);
  } catch (error) {
    box.replaceChildren(`No reason could be had: ${error.message}`);
  }
}

async function offer() {
  const about = await call("schema"), target = about.answer.target;
  document.title = $("title").textContent = `Ask for ${target}`;
  const made = form($("form"), about.columns, ask, { target });
  made.fill(about.example);
  $("why").onclick = () => why(made.row());
}

async function documented() {
  const text = await call("docs", null, reply => reply.text());
  const page = new DOMParser().parseFromString(text, "text/html"); // as the service wrote it; what is parsed so runs no script
  document.documentElement.replaceWith(document.adoptNode(page.documentElement));
}

async function listed() {
  const text = document.createElement("pre");
  text.textContent = JSON.stringify(await call("openapi.json"), null, 1);
  document.body.replaceChildren(text);
}

async function start() {
  try {
    await ({ docs: documented, "openapi.json": listed }[location.pathname.split("/").pop()] ?? offer)();
    for (const one of document.querySelectorAll("#door, #trouble")) one.hidden = true;
  } catch (error) {
    $("trouble").textContent = error.message;
    $("trouble").hidden = false;
  }
}

$("door").addEventListener("submit", event => {
  event.preventDefault();
  store.set($("key").value);
  start();
});
start();
