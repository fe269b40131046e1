/** What a rule looks at. */
export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Characters after which a `/` begins a regular expression, not a division. */
const BEFORE_REGEX = "(,=:[!&|?{};+-*%<>~^";
const WORD_BEFORE_REGEX = /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|yield|await)$/;

/**
 * The text with everything that is not code blanked: comments whole, strings and regular expressions between their
 * quotes. Length and line breaks stay, so a position in the result is one in the text.
 */
export function codeOnly(text: string): string {
  const out = text.split("");
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at++) if (out[at] !== "\n") out[at] = " ";
  };
  /** One entry per template we are inside the `${}` of: how many braces are open in it. */
  const braces: number[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const open = braces.at(-1);
    let end: number;
    if (text.startsWith("//", at)) {
      end = endOf(text, at, "\n");
      blank(at, end);
    } else if (text.startsWith("/*", at)) {
      end = Math.min(endOf(text, at + 2, "*/") + 2, text.length);
      blank(at, end);
    } else if (char === '"' || char === "'") {
      end = stringEnd(text, at, char);
      blank(at + 1, end - 1);
    } else if (char === "`" || (char === "}" && open === 0)) {
      if (char === "}") braces.pop();
      end = templatePartEnd(text, at + 1);
      const isHole = text.charAt(end - 1) === "{";
      blank(at + 1, end - (isHole ? 2 : 1));
      if (isHole) braces.push(0);
    } else if (char === "/" && beginsRegex(text, at)) {
      end = regexEnd(text, at);
      blank(at + 1, end - 1);
    } else {
      if (open !== undefined && char === "{") braces[braces.length - 1] = open + 1;
      if (open !== undefined && char === "}") braces[braces.length - 1] = open - 1;
      end = at + 1;
    }
    at = end;
  }
  return out.join("");
}

/** Line of a position, counted from 1. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let seen = text.indexOf("\n"); seen !== -1 && seen < at; seen = text.indexOf("\n", seen + 1)) line++;
  return line;
}

export interface Import {
  readonly specifier: string;
  readonly at: number;
}

/** Everything a module imports, re-exports or loads by a literal. */
export function importsOf(file: SourceFile, code: string): readonly Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:from|import|import\s*\()\s*"( *)"/g)) {
    const end = match.index + match[0].length - 1;
    const start = end - (match[1] ?? "").length;
    found.push({ specifier: file.text.slice(start, end), at: match.index });
  }
  return found;
}

function endOf(text: string, from: number, mark: string): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at;
}

function stringEnd(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\") at++;
    else if (char === quote || char === "\n") return at + 1;
  }
  return text.length;
}

/** After the closing backtick, or after the `${` that interrupts the template. */
function templatePartEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\") at++;
    else if (char === "`") return at + 1;
    else if (char === "$" && text.charAt(at + 1) === "{") return at + 2;
  }
  return text.length;
}

function regexEnd(text: string, from: number): number {
  let isInClass = false;
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\") at++;
    else if (char === "[") isInClass = true;
    else if (char === "]") isInClass = false;
    else if ((char === "/" && !isInClass) || char === "\n") return at + 1;
  }
  return text.length;
}

function beginsRegex(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && /\s/.test(text.charAt(before))) before--;
  if (before < 0) return true;
  if (BEFORE_REGEX.includes(text.charAt(before))) return true;
  return WORD_BEFORE_REGEX.test(text.slice(Math.max(0, before - 10), before + 1));
}
