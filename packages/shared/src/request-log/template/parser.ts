import { type Piece, piecesOf, TemplateError, type Token } from "./lexer.ts";

/** A template as a tree. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with";
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: "range";
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Commands whose last argument is what the one before gave; what comes out may be put into variables. */
export interface Pipe {
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand =
  | { readonly kind: "value"; readonly value: string | number | boolean | null; readonly isInteger: boolean }
  | { readonly kind: "function"; readonly name: string }
  /** `.A.B`, `$x.A` or `(…).A`. */
  | {
      readonly kind: "path";
      readonly of: "dot" | { readonly variable: string } | Pipe;
      readonly names: readonly string[];
    };

/** Nested blocks and parentheses, so that a hostile template cannot exhaust the stack. */
const DEPTH_MAX = 100;
const UNSUPPORTED = new Set(["define", "template", "block", "break", "continue"]);

/** @param functions names that may be called. @throws TemplateError for what does not parse and what we do not support */
export function parseTemplate(template: string, functions: ReadonlySet<string>): readonly Node[] {
  const parser = new Parser(piecesOf(template), functions);
  return parser.whole();
}

class Parser {
  readonly #pieces: readonly Piece[];
  readonly #functions: ReadonlySet<string>;
  #at = 0;
  #depth = 0;
  readonly #variables: string[] = [""];

  constructor(pieces: readonly Piece[], functions: ReadonlySet<string>) {
    this.#pieces = pieces;
    this.#functions = functions;
  }

  whole(): readonly Node[] {
    const { nodes, end } = this.#block();
    if (end !== undefined) throw new TemplateError(`unexpected {{${end}}}`);
    return nodes;
  }

  /** Up to `end` or `else`, or the end of all. */
  #block(): { nodes: readonly Node[]; end: "end" | "else" | undefined; rest: readonly Token[] } {
    if (++this.#depth > DEPTH_MAX) throw new TemplateError("nested too deeply");
    const nodes: Node[] = [];
    for (; this.#at < this.#pieces.length; ) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) break;
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const word = first?.kind === "word" ? first.text : "";
      if (word === "end" || word === "else") {
        this.#depth--;
        return { nodes, end: word, rest: rest[0]?.kind === "space" ? rest.slice(1) : rest };
      }
      if (word === "if" || word === "with" || word === "range") nodes.push(this.#branch(word, rest));
      else if (UNSUPPORTED.has(word)) throw new TemplateError(`{{${word}}} is not supported`);
      else nodes.push({ kind: "print", pipe: this.#pipe(piece.tokens) });
    }
    this.#depth--;
    return { nodes, end: undefined, rest: [] };
  }

  #branch(kind: "if" | "with" | "range", tokens: readonly Token[]): Node {
    const known = this.#variables.length;
    const pipe = this.#pipe(tokens, kind === "range");
    const then = this.#block();
    if (then.end === undefined) throw new TemplateError(`{{${kind}}} without {{end}}`);
    let otherwise: readonly Node[] = [];
    if (then.end === "else") {
      const [next, ...more] = then.rest;
      if (next?.kind === "word" && (next.text === "if" || next.text === "with")) {
        if (++this.#depth > DEPTH_MAX) throw new TemplateError("nested too deeply");
        otherwise = [this.#branch(next.text, more)];
        this.#depth--;
        this.#variables.length = known;
        return { kind, pipe, body: then.nodes, otherwise };
      }
      if (next !== undefined) throw new TemplateError("unexpected words behind {{else}}");
      const rest = this.#block();
      if (rest.end !== "end") throw new TemplateError(`{{${kind}}} without {{end}}`);
      otherwise = rest.nodes;
    } else if (then.rest.length > 0) throw new TemplateError("unexpected words behind {{end}}");
    this.#variables.length = known;
    return { kind, pipe, body: then.nodes, otherwise };
  }

  #pipe(tokens: readonly Token[], isRange = false): Pipe {
    const reader = new TokenReader(tokens);
    const pipe = this.#pipeOf(reader, isRange);
    if (reader.peek() !== undefined) throw new TemplateError("unexpected ) in command");
    return pipe;
  }

  #pipeOf(reader: TokenReader, isRange: boolean): Pipe {
    if (++this.#depth > DEPTH_MAX) throw new TemplateError("nested too deeply");
    const { variables, isAssignment } = declared(reader, isRange);
    const commands: Operand[][] = [];
    do commands.push(this.#command(reader));
    while (reader.takeSign("|"));
    for (const [index, [first, ...rest]] of commands.entries()) {
      const canTake = first?.kind === "function" || (first?.kind === "path" && first.names.length > 0);
      if (!canTake && (index > 0 || rest.length > 0)) throw new TemplateError("a value is not a function");
    }
    for (const name of variables) {
      if (isAssignment && !this.#variables.includes(name))
        throw new TemplateError(`undefined variable $${name}`);
      if (!isAssignment) this.#variables.push(name);
    }
    this.#depth--;
    return { variables, isAssignment, commands };
  }

  #command(reader: TokenReader): Operand[] {
    const operands: Operand[] = [];
    reader.skipSpace();
    for (let next = reader.peek(); next !== undefined; next = reader.peek()) {
      if (next.kind === "sign" && (next.text === "|" || next.text === ")")) break;
      operands.push(this.#operand(reader));
      if (reader.peek() !== undefined && !reader.skipSpace()) {
        const after = reader.peek();
        if (after?.kind !== "sign" || (after.text !== "|" && after.text !== ")"))
          throw new TemplateError("operands stand without a space between them");
      }
    }
    if (operands.length === 0) throw new TemplateError("missing value for command");
    return operands;
  }

  #operand(reader: TokenReader): Operand {
    const token = reader.take();
    switch (token?.kind) {
      case "string":
        return { kind: "value", value: token.value, isInteger: false };
      case "number":
        return { kind: "value", value: token.value, isInteger: token.isInteger };
      case "field":
        return {
          kind: "path",
          of: "dot",
          names: [...(token.text === "" ? [] : [token.text]), ...reader.fields()],
        };
      case "variable":
        if (!this.#variables.includes(token.text))
          throw new TemplateError(`undefined variable $${token.text}`);
        return { kind: "path", of: { variable: token.text }, names: reader.fields() };
      case "word":
        return this.#word(token.text);
      case "sign": {
        if (token.text !== "(") throw new TemplateError(`unexpected ${token.text} in operand`);
        const of = this.#pipeOf(reader, false);
        if (!reader.takeSign(")")) throw new TemplateError("unclosed left paren");
        return { kind: "path", of, names: reader.fields() };
      }
      default:
        throw new TemplateError("missing value for command");
    }
  }

  #word(text: string): Operand {
    if (text === "true" || text === "false")
      return { kind: "value", value: text === "true", isInteger: false };
    if (text === "nil") return { kind: "value", value: null, isInteger: false };
    if (!this.#functions.has(text)) throw new TemplateError(`function ${JSON.stringify(text)} not defined`);
    return { kind: "function", name: text };
  }
}

/** `$x :=`, `$x =` and, in a range, `$i, $x :=`. */
function declared(
  reader: TokenReader,
  isRange: boolean,
): { variables: readonly string[]; isAssignment: boolean } {
  const start = reader.at;
  const variables: string[] = [];
  do {
    reader.skipSpace();
    const token = reader.take();
    if (token?.kind !== "variable" || token.text === "") break;
    variables.push(token.text);
    reader.skipSpace();
    if (reader.takeSign(":=")) return { variables, isAssignment: false };
    if (reader.takeSign("=")) return { variables, isAssignment: true };
  } while (isRange && variables.length < 2 && reader.takeSign(","));
  reader.at = start;
  return { variables: [], isAssignment: false };
}

class TokenReader {
  at = 0;
  readonly #tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token | undefined {
    return this.#tokens[this.at];
  }

  take(): Token | undefined {
    return this.#tokens[this.at++];
  }

  skipSpace(): boolean {
    if (this.peek()?.kind !== "space") return false;
    this.at++;
    return true;
  }

  takeSign(text: string): boolean {
    this.skipSpace();
    const next = this.peek();
    if (next?.kind !== "sign" || next.text !== text) return false;
    this.at++;
    return true;
  }

  /** `.A.B` right behind an operand. */
  fields(): readonly string[] {
    const names: string[] = [];
    for (let next = this.peek(); next?.kind === "field" && next.text !== ""; next = this.peek()) {
      names.push(next.text);
      this.at++;
    }
    return names;
  }
}
