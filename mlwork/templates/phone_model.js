// The model as a module, for a page and for Node:
//
//   import { load } from "./model.js";
//   const model = await load();
//   model.predict({ area: "54 m²", ... })   ->  { prediction, probabilities?: {class: p}, classes?, warnings: [text] }
//
// `predict` throws a RangeError that says why where the model refuses a row. Types: model.d.ts.
import { warningsOf } from "./form.js";
import { portable } from "./portable.js";
import { unpacked } from "./unpack.js";

export function modelOf(spec) {
  const { columns, answer } = spec, follow = portable(unpacked(spec));
  return {
    columns, answer,
    predict: row => ({ ...follow.predict(row), ...(answer.probabilities ? { classes: answer.classes } : {}), warnings: warningsOf(columns, row) }),
  };
}

export async function load(at = new URL("./packed.json", import.meta.url)) {
  if (at.protocol !== "file:") return modelOf(await (await fetch(at)).json());
  const { readFile } = await import("node:fs/promises");
  return modelOf(JSON.parse(await readFile(at, "utf8")));
}
