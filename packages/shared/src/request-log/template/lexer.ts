/** A piece of a template: text as it stands, or the inside of `{{ }}`. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[] };

export type Token =
  | { readonly kind: "word"; readonly text: string } // if, eq, nil, true
  | { readonly kind: "field"; readonly text: string } // .Request, alone "." too
  | { readonly kind: "variable"; readonly text: string } // $x
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number; readonly isInteger: boolean }
  | { readonly kind: "sign"; readonly text: "(" | ")" | "|" | ":=" | "=" | "," }
  | { readonly kind: "space" };

/** What keeps a template from being used. The message names the construct. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

const TOKENS: readonly [RegExp, (text: string) => Token][] = [
  [/^[ \t\r\n]+/, () => ({ kind: "space" })],
  [/^"(?:[^"\\\n]|\\.)*"/, (text) => ({ kind: "string", value: unquoted(text) })],
  [/^`[^`]*`/, (text) => ({ kind: "string", value: text.slice(1, -1) })],
  [/^'(?:[^'\\\n]|\\.)+'/, (text) => ({ kind: "number", value: runeOf(text), isInteger: true })],
  [
    /^[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)/,
    (text) => ({
      kind: "number",
      value: Number(text),
      isInteger: !/[.eE]/.test(text) || /^[+-]?0[xX]/.test(text),
    }),
  ],
  [/^\$[A-Za-z0-9_]*/, (text) => ({ kind: "variable", text: text.slice(1) })],
  [/^\.[A-Za-z_][A-Za-z0-9_]*/, (text) => ({ kind: "field", text: text.slice(1) })],
  [/^\./, () => ({ kind: "field", text: "" })],
  [/^[A-Za-z_][A-Za-z0-9_]*/, (text) => ({ kind: "word", text })],
  [/^:=/, () => ({ kind: "sign", text: ":=" })],
  [/^[()|=,]/, (text) => ({ kind: "sign", text: signOf(text) })],
];

/** Takes a template apart. `{{-` and `-}}` trim the text beside them, comments are gone. @throws TemplateError */
export function piecesOf(template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimsNext = false;
  for (;;) {
    const open = template.indexOf("{{", at);
    const trimsPrevious = open >= 0 && /^-[ \t\r\n]/.test(template.slice(open + 2, open + 4));
    let text = template.slice(at, open < 0 ? undefined : open);
    if (trimsNext) text = text.replace(/^[ \t\r\n]+/, "");
    if (trimsPrevious) text = text.replace(/[ \t\r\n]+$/, "");
    if (text !== "") pieces.push({ kind: "text", text });
    if (open < 0) return pieces;
    const inside = open + (trimsPrevious ? 3 : 2);
    const close = endOfAction(template, inside);
    trimsNext = close.trims;
    at = close.after;
    const content = template.slice(inside, close.at);
    if (!/^\s*\/\*/.test(content)) pieces.push({ kind: "action", tokens: tokensOf(content) });
  }
}

/** Where `}}` is, past quotes and comments. */
function endOfAction(template: string, from: number): { at: number; after: number; trims: boolean } {
  const comment = /^\s*\/\*/.exec(template.slice(from));
  if (comment !== null) {
    const end = template.indexOf("*/", from);
    const rest = end < 0 ? null : /^(\s-)?\}\}/.exec(template.slice(end + 2));
    if (rest === null) throw new TemplateError("unclosed comment");
    return { at: end, after: end + 2 + rest[0].length, trims: rest[1] !== undefined };
  }
  for (let at = from; at < template.length; at++) {
    const char = template[at];
    if (char === '"' || char === "`" || char === "'") {
      const quoted = (
        char === "`" ? /^`[^`]*`/ : char === '"' ? /^"(?:[^"\\\n]|\\.)*"/ : /^'(?:[^'\\\n]|\\.)+'/
      ).exec(template.slice(at));
      if (quoted === null) throw new TemplateError("unterminated quoted string");
      at += quoted[0].length - 1;
    } else if (template.startsWith("}}", at)) {
      const trims = /[ \t\r\n]-$/.test(template.slice(from, at));
      return { at: trims ? at - 1 : at, after: at + 2, trims };
    }
  }
  throw new TemplateError("unclosed action");
}

function tokensOf(content: string): readonly Token[] {
  const tokens: Token[] = [];
  let rest = content.trim();
  while (rest !== "") {
    let matched = "";
    for (const [pattern, make] of TOKENS) {
      matched = pattern.exec(rest)?.[0] ?? "";
      if (matched === "") continue;
      tokens.push(make(matched));
      break;
    }
    if (matched === "") throw new TemplateError(`unexpected ${JSON.stringify(rest[0])} in command`);
    rest = rest.slice(matched.length);
  }
  return tokens;
}

function signOf(text: string): "(" | ")" | "|" | "=" | "," {
  return text === "(" || text === ")" || text === "|" || text === "=" ? text : ",";
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  '"': '"',
  "'": "'",
  "\\": "\\",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

function unquoted(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, x, u, long, char) => {
      const hex: string | undefined = x ?? u ?? long;
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16);
        if (code > 0x10ffff) throw new TemplateError(`invalid escape ${text}`);
        return String.fromCodePoint(code);
      }
      const plain = ESCAPES[char];
      if (plain === undefined) throw new TemplateError(`unknown escape \\${char}`);
      return plain;
    });
}

function runeOf(text: string): number {
  return unquoted(text).codePointAt(0) ?? 0;
}
