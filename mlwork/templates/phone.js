// The page: the form, the model, and what keeps both for times without a network.
import { form } from "./form.js";
import { load } from "./model.js";

const at = id => document.getElementById(id);

function show(model) {
  const { target } = model.answer;
  const ask = row => ({ ...model.predict(row), warnings: [] }); // the form itself marks what is unusual
  form(at("form"), model.columns, ask, { target });
}

// A newer version waits in the wings. At the start nothing is typed yet, so it takes over at once; later, when asked to.
async function keepForOffline() {
  const had = navigator.serviceWorker.controller !== null, kept = await navigator.serviceWorker.register("./worker.js", { updateViaCache: "none" });
  navigator.serviceWorker.addEventListener("controllerchange", () => { if (had) location.reload(); });
  if (kept.waiting && had) return kept.waiting.postMessage("take over");
  kept.addEventListener("updatefound", () => {
    const coming = kept.installing;
    coming.addEventListener("statechange", () => { if (coming.state === "installed" && had) at("news").hidden = false; });
  });
  at("renew").addEventListener("click", () => kept.waiting?.postMessage("take over"));
  await navigator.serviceWorker.ready;
  at("state").textContent += " Works without a network.";
}

function offerToInstall() {
  let offer = null;
  window.addEventListener("beforeinstallprompt", event => {
    event.preventDefault();
    offer = event;
    at("install").hidden = false;
  });
  at("install").addEventListener("click", async () => {
    at("install").hidden = true;
    await offer.prompt();
  });
}

offerToInstall();
show(await load());
if (navigator.serviceWorker) await keepForOffline();
