// The self-test in Node: `node try.js`; it ends with 1 where a golden row differs. With a file of rows, it prints their answers.
import { readFileSync } from "node:fs";
import { rowsOf } from "./rows.js";
import { portable } from "./portable.js";

const beside = name => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const model = portable(beside("./model.json"));

function answer(row) {
  try {
    const { prediction, probabilities } = model.predict(row);
    return { prediction, scores: probabilities ? model.spec.answer.classes.map(name => probabilities[name]) : [prediction] };
  } catch (error) {
    if (error instanceof RangeError) return null; // refused
    throw error;
  }
}

if (process.argv[2]) process.stdout.write(JSON.stringify(rowsOf(process.argv[2]).map(answer)));
else {
  const { rows, answers, sizes } = beside("./golden.json");
  const far = rows.filter((row, i) => {
    const got = answer(row), wanted = answers[i], near = (v, j) => v === got.scores[j] || Math.abs(v - got.scores[j]) <= 1e-12 * Math.max(1, sizes[i]);
    return (got === null) !== (wanted === null) || (got && !wanted.scores.every(near));
  });
  console.log(`${rows.length - far.length} of ${rows.length} golden rows as in Python`);
  process.exitCode = far.length ? 1 : 0;
}
