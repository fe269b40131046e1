import { badRequest, memberAt, type WallMs } from "@rouse/shared";
import type { ApiResource } from "../wire/api-resource.ts";
import type { Presented } from "../wire/present.ts";
import { ageColumn, builtInColumns, nameColumn } from "./built-in-columns.ts";
import type { Column } from "./column.ts";
import { customColumns } from "./custom-columns.ts";

/** What a row carries beside its cells. P-120 */
export type IncludeObject = "None" | "Metadata" | "Object";

export interface TableOptions {
  readonly version: "v1" | "v1beta1";
  readonly include: IncludeObject;
  readonly now: WallMs;
}

/** @throws KubeError `BadRequest` */
export function readInclude(search: URLSearchParams): IncludeObject {
  const text = search.get("includeObject") || "Metadata";
  switch (text) {
    case "None":
    case "Metadata":
    case "Object":
      return text;
    default:
      throw badRequest(`unrecognized includeObject value: ${JSON.stringify(text)}`);
  }
}

interface TableMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** A table of those objects; without definitions where a watch has sent them before (P-124). */
export function tableOf(
  resource: ApiResource,
  objects: readonly Presented[],
  {
    metadata,
    hasDefinitions = true,
    ...options
  }: TableOptions & { metadata: TableMetadata; hasDefinitions?: boolean },
): unknown {
  const columns = columnsOf(resource);
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: hasDefinitions ? columns.map(({ cell: _, ...definition }) => definition) : null,
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, options.now) ?? null),
      ...rowConditions(resource, object),
      object: rowObject(object, options),
    })),
  };
}

/** A row that only says how far a watch has come. */
export function bookmarkTable(
  resource: ApiResource,
  metadata: Readonly<Record<string, unknown>>,
  { version, hasDefinitions }: TableOptions & { readonly hasDefinitions: boolean },
): unknown {
  const columns = columnsOf(resource);
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: { resourceVersion: metadata.resourceVersion },
    columnDefinitions: hasDefinitions ? columns.map(({ cell: _, ...definition }) => definition) : null,
    rows: [
      {
        cells: columns.map(() => null),
        object: { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata },
      },
    ],
  };
}

export function partialOf(object: Presented, version: "v1" | "v1beta1" = "v1"): Presented {
  return { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

/** That a pod is over, for clients that leave out or mark such rows. */
function rowConditions({ kind }: ApiResource, object: Presented): object {
  const phase = kind.kind === "Pod" ? memberAt(object, "status.phase") : undefined;
  if (phase !== "Succeeded" && phase !== "Failed") return {};
  const message = phase === "Failed" ? "The pod failed." : "The pod has completed successfully.";
  return { conditions: [{ type: "Completed", status: "True", reason: phase, message }] };
}

function rowObject(object: Presented, { include, version }: TableOptions): unknown {
  switch (include) {
    case "None":
      return null;
    case "Object":
      return object;
    case "Metadata":
      return partialOf(object, version);
  }
}

function columnsOf({ kind, message, storedAs }: ApiResource): readonly Column[] {
  const own = message === undefined ? customColumns[kind.kind] : builtInColumns[kind.kind];
  return (storedAs === kind ? own : builtInColumns.Event) ?? [nameColumn, ageColumn];
}
