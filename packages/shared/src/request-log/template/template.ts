import { functionNames, functions } from "./functions.ts";
import { TemplateError } from "./lexer.ts";
import { type Node, type Operand, type Pipe, parseTemplate } from "./parser.ts";
import { GoFloat, GoMap, isTrue, memberOf, printed, type Value } from "./value.ts";

export { TemplateError } from "./lexer.ts";

/** Steps one execution may take: a `range` inside a `range` inside a `range` ends. */
const STEPS_MAX = 100_000;

/**
 * The part of Go's text/template that the request log uses: fields and methods, pipelines, variables, `if`, `else`,
 * `else if`, `with`, `range`, trimming, comments and the functions of `functions.ts`. `define`, `template`, `block`,
 * `break` and `continue` are refused when the template is read. Q-148
 */
export class Template {
  readonly #nodes: readonly Node[];

  private constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  /** @throws TemplateError, naming what is wrong or not supported */
  static parse(text: string): Template {
    return new Template(parseTemplate(text, functionNames));
  }

  /** @throws TemplateError when the data has not what the template wants */
  execute(data: Value): string {
    const run = new Run(data);
    run.nodes(this.#nodes, data);
    return run.out;
  }
}

class Run {
  out = "";
  #steps = 0;
  readonly #variables: { name: string; value: Value }[];

  constructor(data: Value) {
    this.#variables = [{ name: "", value: data }];
  }

  nodes(nodes: readonly Node[], dot: Value): void {
    for (const node of nodes) {
      if (++this.#steps > STEPS_MAX) throw new TemplateError("the template does not come to an end");
      this.#node(node, dot);
    }
  }

  #node(node: Node, dot: Value): void {
    if (node.kind === "text") {
      this.out += node.text;
      return;
    }
    if (node.kind === "print") {
      const value = this.#pipe(node.pipe, dot);
      if (node.pipe.variables.length === 0) this.out += printed(value);
      return;
    }
    const known = this.#variables.length;
    if (node.kind === "range") this.#range(node, dot);
    else {
      const value = this.#pipe(node.pipe, dot);
      if (isTrue(value)) this.nodes(node.body, node.kind === "with" ? value : dot);
      else this.nodes(node.otherwise, dot);
    }
    this.#variables.length = known;
  }

  #range(node: Extract<Node, { kind: "range" }>, dot: Value): void {
    const items = itemsOf(this.#pipe({ ...node.pipe, variables: [] }, dot));
    if (items.length === 0) this.nodes(node.otherwise, dot);
    const known = this.#variables.length;
    for (const [key, value] of items) {
      const { variables } = node.pipe;
      const values = variables.length === 2 ? [key, value] : [value];
      for (const [at, name] of variables.entries())
        this.#bind(name, values[at] ?? null, node.pipe.isAssignment);
      this.nodes(node.body, value);
      this.#variables.length = known;
    }
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let result: Value | undefined;
    for (const command of pipe.commands) result = this.#command(command, dot, result);
    const value = result ?? null;
    for (const name of pipe.variables) this.#bind(name, value, pipe.isAssignment);
    return value;
  }

  #command([first, ...rest]: readonly Operand[], dot: Value, last: Value | undefined): Value {
    if (first === undefined) throw new TemplateError("missing value for command");
    if (++this.#steps > STEPS_MAX) throw new TemplateError("the template does not come to an end");
    if (first.kind === "function" && (first.name === "and" || first.name === "or")) {
      return this.#shortCircuit(first.name === "or", rest, dot, last);
    }
    const args = rest.map((operand) => this.#operand(operand, dot, []));
    return this.#operand(first, dot, last === undefined ? args : [...args, last]);
  }

  /** The first that decides, or the last one. */
  #shortCircuit(decides: boolean, operands: readonly Operand[], dot: Value, last: Value | undefined): Value {
    let value: Value = last ?? null;
    for (const operand of operands) {
      value = this.#operand(operand, dot, []);
      if (isTrue(value) === decides) return value;
    }
    return last ?? value;
  }

  #operand(operand: Operand, dot: Value, args: readonly Value[]): Value {
    switch (operand.kind) {
      case "value":
        return typeof operand.value === "number" && !operand.isInteger
          ? new GoFloat(operand.value)
          : operand.value;
      case "function": {
        const call = functions[operand.name];
        if (call === undefined) throw new TemplateError(`function ${operand.name} not defined`);
        return call(args);
      }
      default: {
        let value: Value = this.#root(operand, dot);
        for (const [at, name] of operand.names.entries()) {
          value = memberOf(value, name, at === operand.names.length - 1 ? args : []);
        }
        return value;
      }
    }
  }

  #root({ of }: Extract<Operand, { kind: "path" }>, dot: Value): Value {
    if (of === "dot") return dot;
    if ("variable" in of) {
      const found = this.#variables.findLast(({ name }) => name === of.variable);
      if (found === undefined) throw new TemplateError(`undefined variable $${of.variable}`);
      return found.value;
    }
    return this.#pipe(of, dot);
  }

  #bind(name: string, value: Value, isAssignment: boolean): void {
    const known = isAssignment ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (known === undefined) this.#variables.push({ name, value });
    else known.value = value;
  }
}

function itemsOf(value: Value): readonly (readonly [key: Value, value: Value])[] {
  if (value instanceof GoMap) return value.sortedKeys().map((key) => [key, value.entries.get(key) ?? []]);
  if (Array.isArray(value)) return value.map((item: Value, index) => [index, item]);
  if (value === null) return [];
  throw new TemplateError("range can't iterate over this");
}
