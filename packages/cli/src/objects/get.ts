import { type Clock, EventKind, type Kind, type KubeObject, type Stored } from "@rouse/shared";
import { stringify } from "yaml";
import type { ObjectClient } from "../api/socket-client.ts";
import { usageFailure } from "../failure.ts";
import type { Output } from "../output.ts";
import { objectName } from "./kind-names.ts";
import { table } from "./table.ts";

export interface GetRequest {
  readonly kind: Kind<KubeObject>;
  /** Absent: all of them. */
  readonly name: string | undefined;
  /** Absent: of every namespace. */
  readonly namespace: string | undefined;
  readonly labelSelector: string | undefined;
  readonly format: GetFormat;
}

export const getFormats = ["table", "json", "yaml", "name"] as const;
export type GetFormat = (typeof getFormats)[number];

/** Shows objects. @throws KubeError; Failure */
export async function get(
  deps: {
    readonly client: Pick<ObjectClient, "get" | "list">;
    readonly clock: Clock;
    readonly output: Output;
  },
  request: GetRequest,
): Promise<void> {
  const { output, clock } = deps;
  const objects = await find(deps.client, request);
  switch (request.format) {
    case "json":
      output.out(JSON.stringify(request.name === undefined ? listOf(objects) : objects[0], null, 2));
      return;
    case "yaml":
      output.out(stringify(request.name === undefined ? listOf(objects) : objects[0]).trimEnd());
      return;
    case "name":
      for (const object of objects) output.out(objectName(request.kind, object.metadata.name));
      return;
    case "table":
      if (objects.length === 0) {
        output.err(`no ${request.kind.plural} here`);
        return;
      }
      for (const line of table(request.kind, objects, {
        now: clock.wall(),
        withNamespace: request.kind.isNamespaced && request.namespace === undefined,
      })) {
        output.out(line);
      }
  }
}

async function find(
  client: Pick<ObjectClient, "get" | "list">,
  { kind, name, namespace, labelSelector }: GetRequest,
): Promise<readonly Stored<KubeObject>[]> {
  if (name === undefined) {
    const list = await client.list(kind, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    return kind.plural === EventKind.plural ? list.items.toSorted(byLastTime) : list.items;
  }
  if (kind.isNamespaced && namespace === undefined) {
    throw usageFailure("one object by name is in one namespace: leave out --all-namespaces");
  }
  return [await client.get(kind, { namespace: kind.isNamespaced ? (namespace ?? "") : "", name })];
}

/** RFC 3339 in UTC sorts as text; within a second the order is the API's. */
function byLastTime(a: Stored<KubeObject>, b: Stored<KubeObject>): number {
  const [left, right] = [lastTime(a), lastTime(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

function lastTime(event: Stored<KubeObject>): string {
  return "lastTimestamp" in event ? String(event.lastTimestamp) : event.metadata.creationTimestamp;
}

function listOf(items: readonly Stored<KubeObject>[]): unknown {
  return { apiVersion: "v1", kind: "List", items };
}
