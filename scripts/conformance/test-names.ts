import { codeOnly, type SourceFile } from "../tidy/source-text.ts";
import { numbersIn, type RequirementNumber } from "./numbers.ts";

/** A test, or a group of tests, whose name says which requirements it covers. */
export interface NamedTest {
  readonly path: string;
  /** As written, with the groups around it before it. */
  readonly name: string;
  readonly numbers: readonly RequirementNumber[];
}

interface Call {
  readonly kind: "test" | "describe";
  readonly title: string;
  /** Texts of the rows of its table, where the title shows them. */
  readonly rows: readonly string[];
  readonly from: number;
  readonly to: number;
}

const CALL = /(?<![\w.$])(test|it|describe)((?:\.\w+)*)\s*(?=[(<`])/g;

/**
 * The tests of one file that name requirements, read from its text: nothing is run. A number in a group's name counts
 * for the group as a whole; a number in a row of a table counts for the test made from it.
 */
export function namedTests(file: SourceFile): readonly NamedTest[] {
  const calls = callsIn(file.text, codeOnly(file.text));
  return calls.flatMap((call) => {
    const numbers = [...new Set([...numbersIn(call.title), ...call.rows.flatMap(numbersIn)])];
    if (numbers.length === 0) return [];
    const groups = calls.filter(
      ({ kind, from, to }) => kind === "describe" && from < call.from && call.to < to,
    );
    const name = [...groups.map(({ title }) => title), call.title].join(" › ");
    return [{ path: file.path, name, numbers }];
  });
}

function callsIn(text: string, code: string): readonly Call[] {
  const found: Call[] = [];
  for (const match of code.matchAll(CALL)) {
    const isTable = /\.(each|for)$/.test(match[2] ?? "");
    const table = afterTypes(code, match.index + match[0].length);
    const tableEnd = isTable ? closing(code, table) + 1 : table;
    const open = isTable ? code.indexOf("(", tableEnd) : table;
    if (open === -1 || code.charAt(open) !== "(") continue;
    const title = literalAt(text, code, open + 1);
    if (title === undefined) continue;
    found.push({
      kind: match[1] === "describe" ? "describe" : "test",
      title,
      rows: isTable && /[$%]/.test(title) ? rowsOf(text, code, table, tableEnd) : [],
      from: match.index,
      to: closing(code, open),
    });
  }
  return found;
}

/** Past the type arguments of a call, if it has any. The `>` of an arrow in them closes nothing. */
function afterTypes(code: string, open: number): number {
  if (code.charAt(open) !== "<") return open;
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const char = code.charAt(at);
    if (char === "<") depth++;
    else if (char === ">" && code.charAt(at - 1) !== "=" && --depth === 0) return at + 1;
  }
  return code.length;
}

/** Where the bracket at `open` closes. Strings are blank in `code`, so every bracket counts. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const char = code.charAt(at);
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && --depth === 0) return at;
  }
  return code.length;
}

function literalAt(text: string, code: string, from: number): string | undefined {
  const start = from + (/^\s*/.exec(code.slice(from))?.[0].length ?? 0);
  const quote = code.charAt(start);
  if (quote !== '"' && quote !== "'" && quote !== "`") return undefined;
  const end = code.indexOf(quote, start + 1);
  return end === -1 ? undefined : text.slice(start + 1, end).replaceAll(/\\(["'`])/g, "$1");
}

/** The rows stand in the call, or in a constant of the file that the call names. */
function rowsOf(text: string, code: string, from: number, to: number): readonly string[] {
  const named = /^\(\s*(\w+)\s*\)$/.exec(code.slice(from, to))?.[1];
  const declared = named === undefined ? -1 : code.search(new RegExp(`\\bconst ${named}\\b[^=]*=\\s*\\[`));
  if (declared === -1) return literalsIn(text, code, from, to);
  const open = code.indexOf("[", code.indexOf("=", declared));
  return literalsIn(text, code, open, closing(code, open));
}

function literalsIn(text: string, code: string, from: number, to: number): readonly string[] {
  const found: string[] = [];
  for (const match of code.slice(from, to).matchAll(/"( *)"/g)) {
    const start = from + match.index + 1;
    found.push(text.slice(start, start + (match[1] ?? "").length));
  }
  return found;
}
