import type { JsonMap, WallMs } from "@rouse/shared";

/** One column of a table, and how an object's cell is made. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "date" | "boolean";
  readonly format: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority: 0 | 1;
  readonly cell: (object: JsonMap, now: WallMs) => unknown;
}

type Cell = Column["cell"];

export function text(name: string, cell: Cell, priority: 0 | 1 = 0): Column {
  return { name, type: "string", format: "", description: name, priority, cell };
}

export function integer(name: string, cell: Cell, priority: 0 | 1 = 0): Column {
  return { ...text(name, cell, priority), type: "integer" };
}
