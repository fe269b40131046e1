/**
 * The value a kubeconfig's text stands for: JSON, or as much of YAML as kubectl, kind, k3s and cloud tools write into
 * such files. That is block maps and lists, one-line scalars (plain, single- or double-quoted), empty flow collections
 * and comments. All else of YAML is refused by line: the data path takes no library for a file of thirty lines.
 * @throws Error naming the line that is not understood
 */
export function parseKubeconfig(text: string): unknown {
  if (text.length > CHARACTERS_MAX) throw new Error(`a kubeconfig is at most ${CHARACTERS_MAX} characters`);
  if (text.trimStart().startsWith("{")) {
    const value: unknown = JSON.parse(text);
    return value;
  }
  const lines = new Lines(text);
  const first = lines.next;
  const value = first === undefined ? undefined : readBlock(lines, first.indent);
  if (lines.next !== undefined) throw notUnderstood(lines.next);
  return value;
}

/** A few clusters with their certificates are some ten thousand. */
const CHARACTERS_MAX = 1_048_576;

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** Lines that say something, one at a time. */
class Lines {
  readonly #lines: Line[] = [];
  #at = 0;

  constructor(text: string) {
    for (const [index, whole] of text.split(/\r?\n/).entries()) {
      const said = withoutComment(whole).trimEnd();
      const trimmed = said.trimStart();
      if (trimmed === "" || trimmed === "---") continue;
      const line = { number: index + 1, indent: said.length - trimmed.length, text: trimmed };
      if (said.slice(0, line.indent).includes("\t")) throw notUnderstood(line);
      this.#lines.push(line);
    }
  }

  get next(): Line | undefined {
    return this.#lines[this.#at];
  }

  skip(): void {
    this.#at++;
  }

  /** What follows `- ` is a line of its own, two columns further in. */
  enterItem({ number, indent, text }: Line): void {
    const rest = text.slice(1);
    const inner = rest.trimStart();
    this.#lines[this.#at] = { number, indent: indent + 1 + rest.length - inner.length, text: inner };
  }
}

function readBlock(lines: Lines, indent: number): unknown {
  const { next } = lines;
  return next !== undefined && isItem(next) ? readList(lines, indent) : readMap(lines, indent);
}

function readMap(lines: Lines, indent: number): unknown {
  const members: [string, unknown][] = [];
  for (let { next } = lines; next !== undefined && next.indent >= indent; { next } = lines) {
    const [, key = "", rest = ""] =
      /^("[^"]*"|'[^']*'|[^\s:'"][^:]*?)\s*:(?:\s+(.*))?$/.exec(next.text) ?? [];
    if (next.indent !== indent || key === "" || isItem(next)) throw notUnderstood(next);
    lines.skip();
    members.push([
      key.replace(/^(["'])(.*)\1$/, "$2"),
      rest === "" ? readNested(lines, indent) : scalar(rest, next),
    ]);
  }
  return Object.fromEntries(members);
}

/** Below a key: what is further in, or a list in the key's own column. */
function readNested(lines: Lines, indent: number): unknown {
  const { next } = lines;
  if (next === undefined || next.indent < indent) return null;
  if (next.indent === indent) return isItem(next) ? readList(lines, indent) : null;
  return readBlock(lines, next.indent);
}

function readList(lines: Lines, indent: number): unknown {
  const items: unknown[] = [];
  for (let { next } = lines; next?.indent === indent && isItem(next); { next } = lines) {
    if (next.text === "-") throw notUnderstood(next);
    lines.enterItem(next);
    const inner = lines.next;
    if (inner === undefined) break;
    if (/^("[^"]*"|'[^']*'|[^\s:'"][^:]*?)\s*:(\s|$)/.test(inner.text))
      items.push(readMap(lines, inner.indent));
    else {
      lines.skip();
      items.push(scalar(inner.text, inner));
    }
  }
  return items;
}

function isItem({ text }: Line): boolean {
  return text === "-" || text.startsWith("- ");
}

function scalar(text: string, line: Line): unknown {
  if (text === "{}") return {};
  if (text === "[]") return [];
  if (text.startsWith('"')) return doubleQuoted(text, line);
  if (/^'(?:[^']|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (/^['|>&*!%@`{[\]},]/.test(text)) throw notUnderstood(line);
  switch (text) {
    case "true":
      return true;
    case "false":
      return false;
    case "null":
    case "~":
      return null;
    default:
      return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : text;
  }
}

/** Of escapes, those JSON knows as well. */
function doubleQuoted(text: string, line: Line): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw notUnderstood(line);
  }
}

/** A comment begins with `#` at the start or after a space, outside of quotes. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote !== "") {
      if (character === "\\" && quote === '"') at++;
      else if (character === quote) quote = "";
    } else if (character === "#" && (at === 0 || /\s/.test(line.charAt(at - 1)))) return line.slice(0, at);
    else if ((character === '"' || character === "'") && /(^|[\s:-])$/.test(line.slice(0, at)))
      quote = character;
  }
  return line;
}

function notUnderstood({ number }: Pick<Line, "number">): Error {
  return new Error(
    `the kubeconfig is not understood at line ${number}: write it as \`kubectl config view --raw\` does`,
  );
}
