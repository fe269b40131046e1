import {
  type Condition,
  EventKind,
  findCondition,
  HorizontalPodAutoscalerKind,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  PodKind,
  parseRfc3339,
  RevisionKind,
  type Stored,
  type WallMs,
} from "@rouse/shared";
import { isJsonObject } from "./three-way-patch.ts";

/** One column of a table: its title and what an object shows in it. `""` is shown as a dash. */
interface Column {
  readonly title: string;
  cell(object: Stored<KubeObject>): string;
}

const name: Column = { title: "NAME", cell: (object) => object.metadata.name };
const ready: Column = { title: "READY", cell: (object) => happyOf(object)?.status ?? "" };
const reason: Column = { title: "REASON", cell: (object) => happyOf(object)?.reason ?? "" };

const keyOf = ({ group, plural }: Kind<KubeObject>): string => `${group}/${plural}`;

const columnsOf: ReadonlyMap<string, readonly Column[]> = new Map([
  [
    keyOf(KnativeServiceKind),
    [
      name,
      { title: "URL", cell: (object) => textAt(object, "status", "url") },
      { title: "LATEST", cell: (object) => textAt(object, "status", "latestReadyRevisionName") },
      ready,
      reason,
    ],
  ],
  [
    keyOf(RevisionKind),
    [
      name,
      { title: "SERVICE", cell: (object) => object.metadata.labels?.["serving.knative.dev/service"] ?? "" },
      { title: "PODS", cell: (object) => textAt(object, "status", "actualReplicas") },
      { title: "WANTED", cell: (object) => textAt(object, "status", "desiredReplicas") },
      ready,
      reason,
    ],
  ],
  [
    keyOf(PodKind),
    [
      name,
      { title: "REVISION", cell: (object) => object.metadata.labels?.["serving.knative.dev/revision"] ?? "" },
      ready,
      { title: "PHASE", cell: (object) => phaseOf(object) },
      { title: "IP", cell: (object) => textAt(object, "status", "podIP") },
    ],
  ],
  [
    keyOf(HorizontalPodAutoscalerKind),
    [
      name,
      { title: "MIN", cell: (object) => textAt(object, "spec", "minReplicas") },
      { title: "MAX", cell: (object) => textAt(object, "spec", "maxReplicas") },
      { title: "PODS", cell: (object) => textAt(object, "status", "currentReplicas") },
      { title: "WANTED", cell: (object) => textAt(object, "status", "desiredReplicas") },
    ],
  ],
  [
    keyOf(EventKind),
    [
      { title: "TYPE", cell: (object) => textAt(object, "type") },
      { title: "REASON", cell: (object) => textAt(object, "reason") },
      {
        title: "OBJECT",
        cell: (object) =>
          `${textAt(object, "involvedObject", "kind").toLowerCase()}/${textAt(object, "involvedObject", "name")}`,
      },
    ],
  ],
]);

/** What stands behind the age, being long. */
const lastOf: ReadonlyMap<string, Column> = new Map([
  [keyOf(EventKind), { title: "MESSAGE", cell: (object) => textAt(object, "message") }],
]);

/**
 * Objects of one kind as lines under a heading, columns as wide as their widest cell. `now` is for the age.
 */
export function table(
  kind: Kind<KubeObject>,
  objects: readonly Stored<KubeObject>[],
  options: { readonly now: WallMs; readonly withNamespace: boolean },
): readonly string[] {
  const last = lastOf.get(keyOf(kind));
  const columns: readonly Column[] = [
    ...(options.withNamespace
      ? [{ title: "NAMESPACE", cell: (object: Stored<KubeObject>) => object.metadata.namespace }]
      : []),
    ...(columnsOf.get(keyOf(kind)) ?? (kind.group === "" ? [name] : [name, ready, reason])),
    // An event that comes again is as old as its last time.
    {
      title: "AGE",
      cell: (object) =>
        age(textAt(object, "lastTimestamp") || object.metadata.creationTimestamp, options.now),
    },
    ...(last === undefined ? [] : [last]),
  ];
  const rows = [
    columns.map((column) => column.title),
    ...objects.map((object) => columns.map((column) => column.cell(object) || "-")),
  ];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

/** `42s`, `7m`, `3h`, `9d`. */
export function age(createdAt: string, now: WallMs): string {
  const created = parseRfc3339(createdAt);
  if (created === undefined) return "";
  const seconds = Math.max(0, Math.floor((now - created) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function happyOf(object: Stored<KubeObject>): Condition | undefined {
  const status = valueAt(object, "status");
  const conditions = isJsonObject(status) ? status.conditions : undefined;
  return Array.isArray(conditions) ? findCondition(conditions, "Ready") : undefined;
}

function phaseOf(object: Stored<KubeObject>): string {
  return object.metadata.deletionTimestamp === undefined ? textAt(object, "status", "phase") : "Terminating";
}

function textAt(object: Stored<KubeObject>, ...path: readonly string[]): string {
  const value = valueAt(object, ...path);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function valueAt(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isJsonObject(value) ? value[key] : undefined), object);
}
