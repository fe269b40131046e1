import { labels, type Route, type Stored } from "@rouse/shared";
import { without } from "../metadata-keys.ts";
import { domainFor } from "../settings/domains.ts";
import type { Settings } from "../settings/settings.ts";
import { fillTemplate } from "./host-template.ts";

export type Visibility = "ExternalIP" | "ClusterLocal";

/** A host name cannot be built from the templates. C-69. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** Where names come from: settings and what the home calls itself. */
export interface Naming {
  readonly settings: Settings;
  /** `cluster.local`. C-74. */
  readonly clusterDomain: string;
  /** Domain of routes no entry of config-domain selects; `undefined`: they are cluster-local. */
  readonly domainSuffix: string | undefined;
}

const FQDN_LENGTH_MAX = 253;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const CLUSTER_LOCAL = "cluster-local";

/** C-75. */
export function routeVisibility(route: Stored<Route>, naming: Naming): Visibility {
  return domainOf(route, naming) === `svc.${naming.clusterDomain}` ? "ClusterLocal" : "ExternalIP";
}

/**
 * The host of a traffic name: `""` for the route itself, else a tag. C-76.
 * @throws HostError when the templates give no valid name
 */
export function hostOf(route: Stored<Route>, tag: string, visibility: Visibility, naming: Naming): string {
  const { namespace } = route.metadata;
  const name = hostName(route, tag, naming);
  if (visibility === "ClusterLocal") return checked(`${name}.${namespace}.svc.${naming.clusterDomain}`);
  const publicLabels = without(route.metadata.labels, [labels.visibility]);
  return checked(
    fillTemplate(naming.settings.network.domainTemplate, {
      Name: name,
      Namespace: namespace,
      Domain: domainFor(naming.settings.domains, publicLabels, fallbackDomain(naming)),
      Labels: publicLabels,
      Annotations: route.metadata.annotations ?? {},
    }),
  );
}

/** Name of the placeholder Service of a traffic name, and first part of its host. C-76. */
export function hostName(route: Stored<Route>, tag: string, naming: Naming): string {
  const { name } = route.metadata;
  return tag === "" ? name : fillTemplate(naming.settings.network.tagTemplate, { Name: name, Tag: tag });
}

/** All the forms by which a cluster-local host is called within the cluster, sorted. C-88. */
export function expandHost(host: string, clusterDomain: string): readonly string[] {
  const suffix = `.${clusterDomain}`;
  if (!host.endsWith(suffix)) return [host];
  const withoutDomain = host.slice(0, -suffix.length);
  const short = withoutDomain.endsWith(".svc") ? withoutDomain.slice(0, -".svc".length) : withoutDomain;
  return [...new Set([host, withoutDomain, short])].filter(hasHostLikeEnd).sort();
}

/** A last label that is a number would make the name look like an address. */
function hasHostLikeEnd(host: string): boolean {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return last.length <= 63 && !/^\d+$/.test(last);
}

function domainOf(route: Stored<Route>, naming: Naming): string {
  const own = route.metadata.labels ?? {};
  if (own[labels.visibility] === CLUSTER_LOCAL) return `svc.${naming.clusterDomain}`;
  return domainFor(naming.settings.domains, own, fallbackDomain(naming));
}

function fallbackDomain({ domainSuffix, clusterDomain }: Naming): string {
  return domainSuffix ?? `svc.${clusterDomain}`;
}

function checked(host: string): string {
  const parts = host.split(".");
  const isValid =
    host.length <= FQDN_LENGTH_MAX && parts.length >= 2 && parts.every((part) => DNS_LABEL.test(part));
  if (!isValid) throw new HostError(`invalid host name ${JSON.stringify(host)}`);
  return host;
}
