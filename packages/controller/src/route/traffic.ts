import {
  type ConditionChange,
  type Configuration,
  labels,
  type ProtocolType,
  type Revision,
  type Route,
  type Stored,
  type TrafficTarget,
} from "@rouse/shared";
import { hasFailed, isReady } from "../pass/readiness.ts";
import { protocolOf } from "../revision/user-port.ts";

/** One share of a route's traffic, led to the revision it means now. */
export interface Target {
  /** `""` without one. */
  readonly tag: string;
  readonly revisionName: string;
  /** The Configuration whose newest ready revision this is; `""` for a revision named outright. */
  readonly configurationName: string;
  readonly isLatest: boolean;
  readonly percent: number;
  readonly protocol: ProtocolType;
}

export type Resolution =
  | {
      readonly kind: "resolved";
      /** As spec.traffic lists them. C-70. */
      readonly targets: readonly Target[];
      /** Per host: all of them under `""`, each tag's own under the tag. C-71. */
      readonly groups: ReadonlyMap<string, readonly Target[]>;
    }
  /** What AllTrafficAssigned says; nothing is routed anew, old traffic keeps flowing. C-69. */
  | { readonly kind: "unresolved"; readonly assigned: ConditionChange };

export interface TrafficSource {
  configuration(name: string): Stored<Configuration> | undefined;
  revision(name: string): Stored<Revision> | undefined;
}

/** Finds the revisions a route's traffic means. C-68…C-71. */
export function resolveTraffic(route: Pick<Route, "metadata" | "spec">, source: TrafficSource): Resolution {
  const service = route.metadata.labels?.[labels.service] ?? "";
  const targets: Target[] = [];
  let problem: ConditionChange | undefined;
  for (const wanted of route.spec.traffic ?? []) {
    const found = resolveTarget(wanted, service, source);
    if ("revisionName" in found) addTarget(targets, found);
    // The first problem is told, unless a later one is worse.
    else if (problem === undefined || found.status === "False") problem = found;
  }
  if (problem !== undefined) return { kind: "unresolved", assigned: problem };
  if (!targets.some(({ percent }) => percent > 0)) {
    const message = "The traffic of this Route goes nowhere."; // admission refuses such a Route
    return { kind: "unresolved", assigned: { status: "False", reason: "ErrorConfig", message } };
  }
  return { kind: "resolved", targets, groups: groupTargets(targets) };
}

function resolveTarget(
  wanted: TrafficTarget,
  service: string,
  source: TrafficSource,
): Target | ConditionChange {
  const { configurationName = "", revisionName = "" } = wanted;
  return configurationName === ""
    ? resolveRevision(wanted, revisionName, service, source)
    : resolveConfiguration(wanted, configurationName, source);
}

function resolveConfiguration(
  wanted: TrafficTarget,
  name: string,
  source: TrafficSource,
): Target | ConditionChange {
  const configuration = source.configuration(name);
  if (configuration === undefined) return missing("Configuration", name);
  const { latestReadyRevisionName = "" } = configuration.status ?? {};
  if (latestReadyRevisionName === "") {
    const because = `Configuration ${JSON.stringify(name)}`;
    return hasFailed(configuration)
      ? notAssigned("False", `${because} does not have any ready Revision.`)
      : notAssigned("Unknown", `${because} is waiting for a Revision to become ready.`);
  }
  const revision = source.revision(latestReadyRevisionName);
  if (revision === undefined) return missing("Revision", latestReadyRevisionName);
  if (!isReady(revision)) return notReady(revision);
  return targetOf(wanted, revision, { configurationName: name, isLatest: wanted.latestRevision ?? true });
}

function resolveRevision(
  wanted: TrafficTarget,
  name: string,
  service: string,
  source: TrafficSource,
): Target | ConditionChange {
  const revision = source.revision(name);
  if (revision === undefined) return missing("Revision", name);
  if (service !== "" && revision.metadata.labels?.[labels.service] !== service) {
    const message = `Revision ${JSON.stringify(name)} is not of Service ${JSON.stringify(service)}.`;
    return { status: "False", reason: "RevisionNotOwned", message };
  }
  if (!isReady(revision)) return notReady(revision);
  const configurationName = revision.metadata.labels?.[labels.configuration] ?? "";
  if (configurationName !== "" && source.configuration(configurationName) === undefined) {
    return missing("Configuration", configurationName);
  }
  return targetOf(wanted, revision, { configurationName: "", isLatest: false });
}

function targetOf(
  wanted: TrafficTarget,
  revision: Stored<Revision>,
  origin: Pick<Target, "configurationName" | "isLatest">,
): Target {
  return {
    ...origin,
    tag: wanted.tag ?? "",
    revisionName: revision.metadata.name,
    percent: wanted.percent ?? 0,
    protocol: protocolOf(revision.spec),
  };
}

/** Entries that differ in their share alone are one. C-70. */
function addTarget(targets: Target[], target: Target): void {
  const at = targets.findIndex(
    (other) =>
      other.tag === target.tag &&
      other.revisionName === target.revisionName &&
      other.isLatest === target.isLatest,
  );
  const same = targets[at];
  if (same === undefined) targets.push(target);
  else targets[at] = { ...same, percent: same.percent + target.percent };
}

function groupTargets(targets: readonly Target[]): ReadonlyMap<string, readonly Target[]> {
  const groups = new Map<string, readonly Target[]>([["", consolidate(targets)]]);
  for (const target of targets) {
    if (target.tag === "") continue;
    groups.set(target.tag, consolidate(targets.filter(({ tag }) => tag === target.tag)));
  }
  return groups;
}

/** One target per revision; a single one gets everything, whatever its share was. C-71. */
function consolidate(targets: readonly Target[]): readonly Target[] {
  const byRevision = new Map<string, Target>();
  for (const target of targets) {
    const before = byRevision.get(target.revisionName);
    byRevision.set(
      target.revisionName,
      before === undefined ? target : { ...before, percent: before.percent + target.percent },
    );
  }
  const consolidated = [...byRevision.values()];
  return consolidated.length === 1 ? consolidated.map((only) => ({ ...only, percent: 100 })) : consolidated;
}

function missing(kind: "Configuration" | "Revision", name: string): ConditionChange {
  const message = `${kind} ${JSON.stringify(name)} referenced in traffic not found.`;
  return { status: "False", reason: `${kind}Missing`, message };
}

function notReady(revision: Stored<Revision>): ConditionChange {
  const name = JSON.stringify(revision.metadata.name);
  return hasFailed(revision)
    ? notAssigned("False", `Revision ${name} failed to become ready.`)
    : notAssigned("Unknown", `Revision ${name} is not yet ready.`);
}

function notAssigned(status: "False" | "Unknown", message: string): ConditionChange {
  return { status, reason: "RevisionMissing", message };
}
