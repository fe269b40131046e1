import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from "yaml";

/** A place in a file, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SyntaxFault extends Position {
  readonly message: string;
}

/** One document of a file: its value, and where its parts are written. */
export interface SourceDocument {
  readonly value: unknown;
  readonly start: Position;
  /**
   * Where the value at a dotted path (`spec.containers[0].name`) is written, or with `key` its key. What is not there
   * is where its closest parent is.
   */
  locate(path: string, at: "key" | "value"): Position;
}

export type ParsedDocument =
  | { readonly kind: "document"; readonly document: SourceDocument }
  | { readonly kind: "faults"; readonly faults: readonly SyntaxFault[] };

/** What the reader of the file should do, by the parser's code, where its own words say less. */
const EXPLAINED: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab is used to indent; YAML wants spaces",
  DUPLICATE_KEY: "this key is there twice",
  BAD_INDENT: "the indentation does not fit what is above, or a bracket above is not closed",
  MULTIPLE_DOCS: "another document begins here",
};

/** Reads the YAML or JSON documents of a file. Empty ones are left out. */
export function parseDocuments(text: string, format: "yaml" | "json"): readonly ParsedDocument[] {
  const lineCounter = new LineCounter();
  // JSON allows tabs between its tokens and nowhere else, YAML does not everywhere: a space takes the same place.
  const readable = format === "json" ? text.replaceAll("\t", " ") : text;
  const documents = parseAllDocuments(readable, { lineCounter, merge: true, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => parsed(document, lineCounter) ?? []);
}

function parsed(document: Document.Parsed, lineCounter: LineCounter): ParsedDocument | undefined {
  const positionOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ code, message, pos }) => {
      const explained = EXPLAINED[code];
      const at = positionOf(pos[0]);
      return { ...at, message: explained ?? firstLine(message) };
    });
    return { kind: "faults", faults };
  }
  const root: Node | null = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return undefined;
  const start = positionOf(root.range?.[0] ?? 0);
  try {
    const value: unknown = document.toJS();
    const locate: SourceDocument["locate"] = (path, at) => {
      const offset = offsetOf(document, root, path, at);
      return offset === undefined ? start : positionOf(offset);
    };
    return { kind: "document", document: { value, start, locate } };
  } catch (error) {
    // Aliases that refer to nothing, or that would grow the document out of all proportion.
    const message = error instanceof Error ? firstLine(error.message) : String(error);
    return { kind: "faults", faults: [{ ...start, message }] };
  }
}

/** Walks down as far as the path goes. Keys may hold dots themselves (annotations do), so the longest that fits wins. */
function offsetOf(document: Document, root: Node, path: string, at: "key" | "value"): number | undefined {
  let node: unknown = root;
  let rest = path;
  let keyOffset = root.range?.[0];
  while (rest !== "") {
    const target: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      let found:
        | { readonly key: string; readonly offset: number | undefined; readonly value: unknown }
        | undefined;
      for (const pair of target.items) {
        if (!isPair(pair) || !isScalar(pair.key)) continue;
        const key = String(pair.key.value);
        if (!beginsPath(rest, key) || (found !== undefined && found.key.length >= key.length)) continue;
        found = { key, offset: pair.key.range?.[0], value: pair.value };
      }
      if (found === undefined) return keyOffset;
      rest = rest.slice(found.key.length).replace(/^\./, "");
      keyOffset = found.offset;
      node = found.value;
    } else if (isSeq(target)) {
      const index = /^\[(\d+)\]\.?/.exec(rest);
      const item = index === null ? undefined : target.items[Number(index[1])];
      if (index === null || item === undefined) return keyOffset;
      rest = rest.slice(index[0].length);
      keyOffset = offsetOfNode(item) ?? keyOffset;
      node = item;
    } else {
      return keyOffset;
    }
  }
  return at === "key" ? keyOffset : (offsetOfNode(node) ?? keyOffset);
}

function beginsPath(path: string, key: string): boolean {
  if (key === "" || !path.startsWith(key)) return false;
  const next = path[key.length];
  return next === undefined || next === "." || next === "[";
}

function offsetOfNode(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
