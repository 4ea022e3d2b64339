// Holds the module against the golden rows, which tell what Python answered.
import { load } from "./model.js";

function answerTo(model, row) {
  try {
    const { prediction, probabilities, classes } = model.predict(row);
    return { prediction, scores: classes ? classes.map(name => probabilities[name]) : [prediction] };
  } catch (error) {
    if (error instanceof RangeError) return null; // refused
    throw error;
  }
}

const near = (a, b, size) => a === b || Math.abs(a - b) <= 1e-12 * Math.max(1, size);

export const answers = (model, rows) => rows.map(row => answerTo(model, row));

export function tried(model, { rows, answers: wanted, sizes }) {
  const right = answers(model, rows).filter((got, i) => {
    if (got === null || wanted[i] === null) return got === wanted[i];
    return wanted[i].scores.every((v, j) => near(v, got.scores[j], sizes[i]));
  });
  return { rows: rows.length, right: right.length };
}

async function show(place) {
  try {
    const { rows, right } = tried(await load(), await (await fetch(new URL("./golden.json", import.meta.url))).json());
    place.textContent = `${right} of ${rows} golden rows as in Python`;
  } catch (error) {
    place.textContent = `The golden rows could not be had: ${error.message}.`;
  }
}

const found = globalThis.document?.getElementById("found"); // only on its own page
if (found) await show(found);
