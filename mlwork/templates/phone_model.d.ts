// The types of model.js; the row of this model is in portable.d.ts.
import type { Answer, Row } from "./portable.js";

export interface Column {
  name: string;
  kind: "number" | "truth" | "moment" | "text";
  role: string;
  optional: boolean;
  min?: number | string;
  max?: number | string;
  unit?: string;
  usual?: number | string;
  levels?: string[];
  more_levels?: boolean;
  offered?: string[];
}

export interface Model {
  columns: Column[];
  answer: { task: string; target: string };
  /** Throws a RangeError that says why where the model refuses the row. */
  predict(row: Row): Answer & { warnings: string[] };
}

export function load(at?: URL): Promise<Model>;
export function modelOf(spec: unknown): Model;
export type { Answer, Class, Row } from "./portable.js";
