// The page: the form, the model, and what keeps both for times without a network.
import { form } from "./form.js";
import { load } from "./model.js";

const at = id => document.getElementById(id);
const renews = () => navigator.serviceWorker.controller !== null; // else it is the first version that comes

function show(model) {
  const { target } = model.answer;
  const ask = row => ({ ...model.predict(row), warnings: [] }); // the form itself marks what is unusual
  form(at("form"), model.columns, ask, { target });
}

// A newer version waits in the wings. At the start nothing is typed yet, so it takes over at once; later, when asked to. Other tabs stay as they are.
async function keepForOffline() {
  const kept = await navigator.serviceWorker.register("./worker.js", { updateViaCache: "none" });
  const renew = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    kept.waiting?.postMessage("take over");
  };
  const watch = coming => coming?.addEventListener("statechange", () => { if (coming.state === "installed" && renews()) at("news").hidden = false; });
  if (kept.waiting && renews()) return renew();
  watch(kept.installing);
  kept.addEventListener("updatefound", () => watch(kept.installing));
  at("renew").addEventListener("click", renew);
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
