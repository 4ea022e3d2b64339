// The types of form.js.
import type { Column } from "./model.js";

export type Cells = { [column: string]: string | null };
export interface Shown {
  prediction?: string | number | boolean;
  probabilities?: { [name: string]: number };
  classes?: readonly (string | number | boolean)[];
  interval?: [number, number];
  warnings?: string[];
  refused?: string;
}

export function form(
  root: Element,
  columns: Column[],
  ask: (row: Cells) => Shown | Promise<Shown>,
  about?: { target?: string; unit?: string },
): { row(): Cells; fill(row: { [column: string]: unknown }): void; keep(): Promise<void>; ask(): Promise<void> };
export function warningOf(column: Column, value: unknown): string | null;
export function warningsOf(columns: Column[], row: { [column: string]: unknown }): string[];
