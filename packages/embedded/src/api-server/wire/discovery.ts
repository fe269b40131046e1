import { createHash } from "node:crypto";
import { apiVersion } from "@rouse/shared";
import { type Answer, json } from "./answer.ts";
import {
  ALL_VERBS,
  type ApiResource,
  apiResources,
  groupVersions,
  reviewResources,
  type SubresourceName,
} from "./api-resource.ts";

const AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

interface ResponseKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A resource or review as both forms of discovery describe it. */
interface Described {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly {
    name: string;
    verbs: readonly string[];
    kind: ResponseKind | undefined;
  }[];
}

const SUBRESOURCES: Readonly<
  Record<SubresourceName, { readonly verbs: readonly string[]; readonly kind?: ResponseKind }>
> = {
  status: { verbs: ["get", "patch", "update"] },
  scale: { verbs: ["get", "patch", "update"], kind: { group: "autoscaling", version: "v1", kind: "Scale" } },
  log: { verbs: ["get"] },
  finalize: { verbs: ["update"] },
  token: { verbs: ["create"], kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" } },
};

/** `/api`. P-11 */
export function apiVersions(): unknown {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "127.0.0.1" }],
  };
}

/** `/apis`. P-14: 200 and never empty. */
export function apiGroupList(): unknown {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups().map(groupBody) };
}

/** `/apis/<group>`, if there is one of that name. */
export function apiGroup(name: string): unknown {
  const group = groups().find((each) => each.name === name);
  return group === undefined ? undefined : { kind: "APIGroup", apiVersion: "v1", ...groupBody(group) };
}

/** `/api/v1` or `/apis/<group>/<version>`. P-12 */
export function apiResourceList(version: string): unknown {
  if (!groupVersions().includes(version)) return undefined;
  const resources = describedIn(version).flatMap((described) => [
    {
      name: described.plural,
      singularName: described.singular,
      namespaced: described.isNamespaced,
      kind: described.kind,
      verbs: described.verbs,
      ...notEmpty("shortNames", described.shortNames),
      ...notEmpty("categories", described.categories),
    },
    ...described.subresources.map(({ name, verbs, kind }) => ({
      name: `${described.plural}/${name}`,
      singularName: "",
      namespaced: described.isNamespaced,
      ...(kind === undefined ? {} : { group: kind.group, version: kind.version }),
      kind: kind?.kind ?? described.kind,
      verbs,
    })),
  ]);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: version, resources };
}

/** Everything in one document: the core group's at `/api`, the others' at `/apis`. P-13 */
export function aggregatedDiscovery(root: "api" | "apis", ifNoneMatch: string | undefined): Answer {
  const items =
    root === "api"
      ? [{ metadata: {}, versions: [aggregatedVersion("v1")] }]
      : groups().map(({ name, versions }) => ({
          metadata: { name },
          versions: versions.map((version) => aggregatedVersion(`${name}/${version}`)),
        }));
  const body = { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
  const tag = `"${createHash("sha256").update(JSON.stringify(body)).digest("hex").toUpperCase()}"`;
  const headers = { ETag: tag, Vary: "Accept", "Cache-Control": "public" };
  if (ifNoneMatch === tag) return { kind: "whole", status: 304, headers, body: "" };
  return json(body, { headers, type: AGGREGATED_TYPE });
}

function aggregatedVersion(groupVersion: string): unknown {
  const own = { group: "", version: "" };
  return {
    version: groupVersion.split("/").at(-1),
    freshness: "Current",
    resources: describedIn(groupVersion).map((described) => ({
      resource: described.plural,
      responseKind: { ...own, kind: described.kind },
      scope: described.isNamespaced ? "Namespaced" : "Cluster",
      singularResource: described.singular,
      verbs: described.verbs,
      ...notEmpty("shortNames", described.shortNames),
      ...notEmpty("categories", described.categories),
      ...notEmpty(
        "subresources",
        described.subresources.map(({ name, verbs, kind }) => ({
          subresource: name,
          responseKind: kind ?? { ...own, kind: described.kind },
          verbs,
        })),
      ),
    })),
  };
}

function describedIn(version: string): readonly Described[] {
  const own = apiResources.filter(({ kind }) => apiVersion(kind) === version).map(described);
  const reviews = reviewResources
    .filter((review) => `${review.group}/${review.version}` === version)
    .map(({ plural, kind }) => ({
      plural,
      singular: kind.toLowerCase(),
      kind,
      isNamespaced: false,
      verbs: ["create"],
      shortNames: [],
      categories: [],
      subresources: [],
    }));
  return [...own, ...reviews];
}

function described({ kind, singular, verbs, shortNames, categories, subresources }: ApiResource): Described {
  const isCustom = kind.group.endsWith(".knative.dev");
  return {
    plural: kind.plural,
    singular,
    kind: kind.kind,
    isNamespaced: kind.isNamespaced,
    verbs: isCustom && verbs === ALL_VERBS ? CUSTOM_VERBS : verbs,
    shortNames,
    categories,
    subresources: subresources.map((name) => ({
      name,
      verbs: SUBRESOURCES[name].verbs,
      kind: SUBRESOURCES[name].kind,
    })),
  };
}

/** The reference lists the same verbs in another order for custom resources. */
const CUSTOM_VERBS: readonly string[] = [
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "create",
  "update",
  "watch",
];

interface Group {
  readonly name: string;
  readonly versions: readonly string[];
}

function groups(): readonly Group[] {
  const byName = new Map<string, string[]>();
  for (const groupVersion of groupVersions()) {
    const [group = "", version] = groupVersion.split("/");
    if (version === undefined) continue;
    byName.set(group, [...(byName.get(group) ?? []), version]);
  }
  return [...byName].map(([name, versions]) => ({ name, versions }));
}

function groupBody({ name, versions }: Group): Readonly<Record<string, unknown>> {
  const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: listed, preferredVersion: listed[0] };
}

function notEmpty<T>(name: string, list: readonly T[]): Readonly<Record<string, readonly T[]>> {
  return list.length === 0 ? {} : { [name]: list };
}
