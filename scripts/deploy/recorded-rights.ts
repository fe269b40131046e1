import type { Right } from "./api-calls.ts";

/** What one program was seen to do. */
export interface RecordedRights {
  /** Without a namespace, or in others than the system's. */
  readonly everywhere: ReadonlySet<Right>;
  /** In the system's namespace. */
  readonly namespace: ReadonlySet<Right>;
}

const LINE = /^(\S+) (\S+) (\w+)( \(knative-serving\))?$/;

/** Reads what `pnpm cluster-test --verbs` wrote of a program: `group resource verb`, and whether the namespace was named. */
export function recordedRights(lines: readonly string[]): RecordedRights {
  const everywhere = new Set<Right>();
  const namespace = new Set<Right>();
  for (const line of lines) {
    const [, group = "", resource = "", verb = "", isNamed] = LINE.exec(line) ?? [];
    if (verb === "") throw new Error(`cannot read "${line}"`);
    const [plural = "", subresource] = resource.split("/");
    const name = `${plural}${group === "core" ? "" : `.${group}`}`;
    const right = `${name}${subresource === undefined ? "" : `/${subresource}`} ${verb}`;
    (isNamed === undefined ? everywhere : namespace).add(right);
  }
  return { everywhere, namespace };
}
