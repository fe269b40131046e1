import {
  annotations,
  childName,
  controllerOf,
  headers,
  type Ingress,
  type IngressPath,
  type IngressRule,
  type IngressSplit,
  labels,
  ports,
  type Route,
  type Stored,
} from "@rouse/shared";
import { keys, without } from "../metadata-keys.ts";
import { expandHost, hostOf, type Naming, type Visibility } from "./hosts.ts";
import { entryOf, type RolloutEntry, rolloutText } from "./rollout-state.ts";
import type { Target } from "./traffic.ts";

/** What a KIngress is made from. */
export interface Routing {
  readonly groups: ReadonlyMap<string, readonly Target[]>;
  /** How far latest-revision targets have moved to their revision. */
  readonly rollout: readonly RolloutEntry[];
  /** Who may reach each traffic name. C-75. */
  visibility(tag: string): Visibility;
  readonly naming: Naming;
}

/** C-5. */
export function ingressName(routeName: string): string {
  return childName(routeName, "");
}

/** The KIngress of a Route. C-85…C-89. @throws HostError, or Error for an unknown httpOption */
export function makeIngress(route: Stored<Route>, routing: Routing): Ingress {
  const { name, namespace } = route.metadata;
  const { settings } = routing.naming;
  const option = httpOption(route, settings.network.httpOption);
  const tags = tagHosts(route, routing);
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: {
      name: ingressName(name),
      namespace,
      labels: { ...route.metadata.labels, [labels.route]: name, [labels.routeNamespace]: namespace },
      annotations: {
        ...without(
          {
            [annotations.ingressClass]: ingressClass(route, settings.network.ingressClass),
            [keys.rollout]: rolloutText(routing.rollout),
            ...route.metadata.annotations,
          },
          [annotations.lastApplied, keys.ingressClassOld, keys.certificateClassOld],
        ),
        ...(tags === undefined ? {} : { [keys.tagToHost]: tags }),
      },
      ownerReferences: [controllerOf(route)],
    },
    spec: {
      rules: sortedGroups(routing).flatMap(([tag]) => rulesOf(route, tag, routing)),
      ...(option === undefined ? {} : { httpOption: option }),
    },
  };
}

/** Always a rule for within the cluster, and one for outside where the name is public. C-85. */
function rulesOf(route: Stored<Route>, tag: string, routing: Routing): readonly IngressRule[] {
  const { naming } = routing;
  const paths = pathsOf(route, tag, routing);
  const local = expandHost(hostOf(route, tag, "ClusterLocal", naming), naming.clusterDomain);
  const rules: IngressRule[] = [{ hosts: local, visibility: "ClusterLocal", http: { paths } }];
  if (routing.visibility(tag) === "ExternalIP") {
    rules.push({
      hosts: [hostOf(route, tag, "ExternalIP", naming)],
      visibility: "ExternalIP",
      http: { paths },
    });
  }
  return rules;
}

/** C-86; with routing by tag header also C-87. */
function pathsOf(route: Stored<Route>, tag: string, routing: Routing): readonly IngressPath[] {
  const splits = splitsOf(route, tag, routing);
  if (!routing.naming.settings.features.routesByTagHeader) return [{ splits }];
  if (tag !== "") return [{ splits, appendHeaders: { [headers.tag]: tag } }];
  const byHeader = sortedGroups(routing)
    .filter(([name]) => name !== "")
    .map(([name]) => ({
      headers: { [headers.tag]: { exact: name } },
      splits: splitsOf(route, name, routing),
    }));
  return [...byHeader, { splits, appendHeaders: { [headers.defaultRoute]: "true" } }];
}

/** One split per target, or per revision of a target that is rolling out. */
function splitsOf(route: Stored<Route>, tag: string, routing: Routing): readonly IngressSplit[] {
  const { namespace } = route.metadata;
  return (routing.groups.get(tag) ?? [])
    .filter((target) => target.percent > 0)
    .flatMap((target) =>
      (entryOf(routing.rollout, tag, target)?.revisions ?? [target]).map(({ revisionName, percent }) => ({
        serviceNamespace: namespace,
        serviceName: revisionName, // the revision's public Service
        servicePort: target.protocol === "h2c" ? ports.serviceH2c : ports.serviceHttp,
        percent,
        appendHeaders: { [headers.revision]: revisionName, [headers.namespace]: namespace },
      })),
    );
}

/** C-89. */
function tagHosts(route: Stored<Route>, routing: Routing): string | undefined {
  const tags = sortedGroups(routing).filter(([tag]) => tag !== "");
  if (tags.length === 0) return undefined;
  const hosts = tags.map(([tag]) => {
    const local = hostOf(route, tag, "ClusterLocal", routing.naming);
    const isPublic = routing.visibility(tag) === "ExternalIP";
    return [tag, isPublic ? [local, hostOf(route, tag, "ExternalIP", routing.naming)] : [local]];
  });
  return JSON.stringify(Object.fromEntries(hosts));
}

function sortedGroups({ groups }: Routing): readonly (readonly [string, readonly Target[]])[] {
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** C-84. */
function ingressClass(route: Stored<Route>, fallback: string): string {
  const own = route.metadata.annotations;
  return own?.[annotations.ingressClass] ?? own?.[keys.ingressClassOld] ?? fallback;
}

/** C-84, CV-28. */
function httpOption(
  route: Stored<Route>,
  fallback: "Enabled" | "Redirected" | undefined,
): "Enabled" | "Redirected" | undefined {
  const own = route.metadata.annotations;
  const text = own?.[keys.httpOption] ?? own?.[keys.httpOptionOld] ?? "";
  switch (text.toLowerCase()) {
    case "":
      return fallback;
    case "enabled":
      return "Enabled";
    case "redirected":
      return "Redirected";
    default:
      throw new Error(`invalid annotation ${keys.httpOption}: ${JSON.stringify(text)}`);
  }
}
