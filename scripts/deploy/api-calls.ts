import * as shared from "@rouse/shared";

/** One right: `deployments.apps/scale patch`, `pods list`. */
export type Right = string;

export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Functions of ours that call the API for whoever names a kind, and what they call. */
const THROUGH: Readonly<Record<string, readonly string[]>> = {
  "new Informer": ["list", "watch"],
  writeStatus: ["get", "update/status"],
  createChild: ["create", "get"],
};
const CALL = /\bclient\s*\.(get|list|watch|create|update|updateStatus|patch|delete)(?:<[^(]*>)?\(\s*(\w+)/g;
const GENERIC = /\b(new Informer|writeStatus|createChild)(?:<\w+>)?\(\s*[\w.#{}\s]+,\s*(\w+Kind)\b/g;

/**
 * The rights a program's sources ask for, by the calls that stand in them. A call that takes the kind as a parameter
 * says nothing here; it is listed as `path verb`, for somebody to say what it comes to.
 */
export function apiCalls(sources: readonly Source[]): {
  readonly rights: ReadonlySet<Right>;
  readonly indirect: readonly string[];
} {
  const rights = new Set<Right>();
  const indirect: string[] = [];
  for (const { path, text } of sources) {
    for (const { 1: verb = "", 2: argument = "", index } of text.matchAll(CALL)) {
      if (!argument.endsWith("Kind")) indirect.push(`${path} ${verb}`);
      else rights.add(right(argument, verbOf(verb, argumentsAt(text, text.indexOf("(", index)))));
    }
    for (const { 1: name = "", 2: kind = "" } of text.matchAll(GENERIC)) {
      for (const verb of THROUGH[name] ?? []) rights.add(right(kind, verb));
    }
  }
  return { rights, indirect };
}

/** @param verb with a subresource behind a slash, where it has one */
export function right(kindName: string, verb: string): Right {
  const kind: unknown = Reflect.get(shared, kindName);
  if (typeof kind !== "object" || kind === null) throw new Error(`no kind ${kindName}`);
  const [plain = "", subresource] = verb.split("/");
  const group = String(Reflect.get(kind, "group"));
  const resource = `${Reflect.get(kind, "plural")}${group === "" ? "" : `.${group}`}`;
  return `${resource}${subresource === undefined ? "" : `/${subresource}`} ${plain}`;
}

function verbOf(method: string, argumentsText: string): string {
  if (method === "updateStatus") return "update/status";
  const subresource = /,\s*"(status|scale)"\s*,?\s*$/.exec(argumentsText)?.[1];
  return subresource === undefined ? method : `${method}/${subresource}`;
}

/** What stands between the parenthesis at `open` and its own end. */
function argumentsAt(text: string, open: number): string {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return text.slice(open + 1, at);
  }
  return "";
}
