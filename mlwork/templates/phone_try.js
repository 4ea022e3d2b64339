// The self-test in Node: `node try.js`; it ends with 1 where a golden row differs. With a file of rows, it prints their answers.
import { readFileSync } from "node:fs";
import { rowsOf } from "./rows.js";
import { tried, answers } from "./selftest.js";
import { load } from "./model.js";

const model = await load();

if (process.argv[2]) process.stdout.write(JSON.stringify(answers(model, rowsOf(process.argv[2]))));
else {
  const { rows, right } = tried(model, JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8")));
  console.log(`${right} of ${rows} golden rows as in Python`);
  process.exitCode = right === rows ? 0 : 1;
}
