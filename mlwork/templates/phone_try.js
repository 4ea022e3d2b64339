// The self-test in Node: `node try.js`; with a file of rows, it prints their answers.
import { readFileSync } from "node:fs";
import { tried, answers } from "./selftest.js";
import { load } from "./model.js";

const model = await load(), read = name => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
if (process.argv[2]) process.stdout.write(JSON.stringify(answers(model, read(process.argv[2]))));
else {
  const { rows, right } = tried(model, read("./golden.json"));
  console.log(`${right} of ${rows} golden rows as in Python`);
  process.exitCode = right === rows ? 0 : 1;
}
