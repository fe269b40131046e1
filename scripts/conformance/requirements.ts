import type { RequirementNumber } from "./numbers.ts";
import type { Spec } from "./specs.ts";

/** What a contract asks, by number: a few words each, to recognise it by. */
export type Requirements = Readonly<Record<RequirementNumber, string>>;

const TITLE_CHARS = 96;
/** Where a requirement is defined: an item of a list, the first cell of a row, or in bold within a row. */
const DEFINITION = /^(?:- |\| )?(?:\*\*)?([A-Z]{1,2})-(\d+)(?:\*\*)?[:.]?\s+(?:\|\s*)?(.*)$/;
const IN_ROW = /^\| ?(.*?) \|.*\*\*([A-Z]{1,2})-(\d+)\*\*\s+(.*)$/;
/** A table of vectors: its first column is headed by the letter, its rows by bare numbers. */
const VECTORS_HEAD = /^\| ([A-Z]{1,2}) \|/;
const VECTOR = /^\| (\d+) \| (.*) \|$/;

/** Reads a contract's numbers and titles from its text. The first definition of a number is the one that counts. */
export function requirementsOf(spec: Spec, markdown: string): Requirements {
  const found = new Map<RequirementNumber, string>();
  let table: string | undefined;
  for (const line of markdown.split("\n")) {
    if (!line.startsWith("|")) table = undefined;
    table = VECTORS_HEAD.exec(line)?.[1] ?? table;
    const { letters, number, text } = definitionIn(line, table);
    const id = `${letters}-${number}`;
    if (spec.letters.includes(letters) && !found.has(id)) found.set(id, title(text));
  }
  return Object.fromEntries(found);
}

interface Definition {
  readonly letters: string;
  readonly number: string;
  readonly text: string;
}

function definitionIn(line: string, table: string | undefined): Definition {
  const vector = table === undefined ? null : VECTOR.exec(line);
  if (vector !== null) return { letters: table ?? "", number: vector[1] ?? "", text: vector[2] ?? "" };
  const inRow = IN_ROW.exec(line);
  if (inRow !== null) {
    const [, cell = "", letters = "", number = "", text = ""] = inRow;
    return { letters, number, text: `${cell}: ${text.replace(/\s*\|.*$/, "")}` };
  }
  const [, letters = "", number = "", text = ""] = DEFINITION.exec(line) ?? [];
  return { letters, number, text: line.startsWith("|") ? text.replace(/\s*\|.*$/, "") : text };
}

function title(text: string): string {
  const plain = text
    .replaceAll(/\*\*|`/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  const sentence = /^.{12,}?[.;](?=\s)/.exec(plain)?.[0].slice(0, -1) ?? plain.replace(/[.;:]$/, "");
  if (sentence.length <= TITLE_CHARS) return sentence;
  return `${sentence.slice(0, sentence.lastIndexOf(" ", TITLE_CHARS))} …`;
}
