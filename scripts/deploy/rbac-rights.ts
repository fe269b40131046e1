import type { Right } from "./api-calls.ts";
import { at, listAt, type Manifest } from "./manifest.ts";

/**
 * The rights a service account has by the roles bound to it.
 * @param where in the system's namespace alone, in all of them, or either
 */
export function rightsOf(
  manifests: readonly Manifest[],
  account: string,
  where: "namespace" | "everywhere" | "either" = "either",
): ReadonlySet<Right> {
  const rights = new Set<Right>();
  const kinds = { namespace: ["RoleBinding"], everywhere: ["ClusterRoleBinding"] } as const;
  const wanted: readonly string[] =
    where === "either" ? [...kinds.namespace, ...kinds.everywhere] : kinds[where];
  for (const binding of manifests.filter(({ kind }) => wanted.includes(kind))) {
    if (!listAt(binding, "subjects").some((subject) => at(subject, "name") === account)) continue;
    const role = manifests.find(
      ({ kind, metadata }) =>
        kind === at(binding, "roleRef", "kind") && metadata.name === at(binding, "roleRef", "name"),
    );
    for (const rule of listAt(role, "rules")) for (const right of rightsOfRule(rule)) rights.add(right);
  }
  return rights;
}

function rightsOfRule(rule: unknown): readonly Right[] {
  return listAt(rule, "apiGroups").flatMap((group) =>
    listAt(rule, "resources").flatMap((resource) => {
      const [plural = "", subresource] = String(resource).split("/");
      const name = `${plural}${group === "" ? "" : `.${group}`}`;
      return listAt(rule, "verbs").map(
        (verb) => `${name}${subresource === undefined ? "" : `/${subresource}`} ${verb}`,
      );
    }),
  );
}
