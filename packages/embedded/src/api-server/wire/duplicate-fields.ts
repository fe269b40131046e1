/**
 * Paths of members that a JSON text has twice, of which a parser keeps the last. For text that has been parsed already:
 * it walks the tokens and checks nothing else.
 */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  const stack: {
    readonly path: string;
    readonly names: Set<string> | undefined;
    index: number;
    name: string;
  }[] = [];
  // Strings with what follows them, and everything that opens, closes or separates.
  for (const [token, , colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\],]/g)) {
    const top = stack.at(-1);
    if (token === "{" || token === "[") {
      const path = top === undefined ? "" : pathIn(top);
      stack.push({ path, names: token === "{" ? new Set() : undefined, index: 0, name: "" });
    } else if (token === "}" || token === "]") stack.pop();
    else if (token === ",") {
      if (top !== undefined) top.index++;
    } else if (colon !== undefined && top?.names !== undefined) {
      const name: unknown = JSON.parse(token.slice(0, token.length - colon.length));
      top.name = String(name);
      if (top.names.has(top.name)) found.push(pathIn(top));
      top.names.add(top.name);
    }
  }
  return found;
}

function pathIn(at: { path: string; names: Set<string> | undefined; index: number; name: string }): string {
  if (at.names === undefined) return `${at.path}[${at.index}]`;
  return at.path === "" ? at.name : `${at.path}.${at.name}`;
}
