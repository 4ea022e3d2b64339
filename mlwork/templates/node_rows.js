// Reads a file of rows, from the folder where one is; ends with 2 where it cannot be read.
import { readFileSync } from "node:fs";

export function rowsOf(path) {
  try {
    const rows = JSON.parse(readFileSync(path, "utf8"));
    if (Array.isArray(rows)) return rows;
    throw new Error("no list");
  } catch (error) {
    console.error(`${path} must be a file with a JSON list of rows; got: ${error.message}`);
    process.exit(2);
  }
}
