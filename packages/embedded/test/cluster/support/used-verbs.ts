import { parseTarget } from "../../../src/api-server/wire/request-target.ts";

const VERBS: Readonly<Record<string, string>> = {
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Which verbs each program really used, of which resource: what its role has to allow, and no more. */
export class UsedVerbs {
  readonly #programs = new Map<string, Set<string>>();
  #hasNews = false;

  static parse(text: string): UsedVerbs {
    const used = new UsedVerbs();
    const programs: Readonly<Record<string, readonly string[]>> = JSON.parse(text);
    for (const [program, verbs] of Object.entries(programs)) used.#programs.set(program, new Set(verbs));
    return used;
  }

  /** One request, of the program whose `User-Agent` it carries. */
  saw(program: string, method: string, url: string): void {
    const { pathname, searchParams } = new URL(url, "http://api");
    const target = parseTarget(pathname);
    if (target.kind !== "collection" && target.kind !== "object") return;
    const { kind } = target.resource;
    const subresource =
      target.kind === "object" && target.subresource !== undefined ? `/${target.subresource}` : "";
    const isWatch = target.isWatch || ["1", "true"].includes(searchParams.get("watch") ?? "");
    // A list that is streamed is a watch; to a server that knows no streams it is a list.
    const isStreamed = searchParams.has("sendInitialEvents");
    if (isStreamed) this.saw(program, method, pathname);
    const read = target.kind === "object" ? "get" : isWatch ? "watch" : "list";
    const verb = `${kind.group === "" ? "core" : kind.group} ${kind.plural}${subresource} ${VERBS[method] ?? read}`;
    const scope = namespaceOf(target) === "knative-serving" ? `${verb} (knative-serving)` : verb;
    const verbs = this.#programs.get(program) ?? new Set();
    this.#programs.set(program, verbs);
    this.#hasNews ||= !verbs.has(scope);
    verbs.add(scope);
  }

  /** Whether there is more than at the last call. */
  takeNews(): boolean {
    const hadNews = this.#hasNews;
    this.#hasNews = false;
    return hadNews;
  }

  /** `{"program": ["group resource verb", …]}`; `(knative-serving)` where the namespace was named. */
  text(): string {
    const sorted = [...this.#programs].sort(([a], [b]) => (a < b ? -1 : 1));
    const programs = Object.fromEntries(sorted.map(([program, verbs]) => [program, [...verbs].sort()]));
    return `${JSON.stringify(programs, undefined, 2)}\n`;
  }
}

function namespaceOf(target: { readonly namespace: string | undefined }): string {
  return target.namespace ?? "";
}
