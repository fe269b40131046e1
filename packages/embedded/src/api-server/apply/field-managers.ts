import { type AnyObject, type Clock, rfc3339, type WriteOptions } from "@rouse/shared";
import type { ApiResource } from "../wire/api-resource.ts";
import { Ownership, type Writer } from "./ownership.ts";

type Hook = NonNullable<WriteOptions["managedFields"]>;

/** Notes for every write of a client what it owns from then on. */
export class FieldManagers {
  readonly #clock: Pick<Clock, "wall">;
  readonly #ownerships = new Map<ApiResource, Ownership>();

  constructor(clock: Pick<Clock, "wall">) {
    this.#clock = clock;
  }

  of(resource: ApiResource): Ownership {
    const ownership = this.#ownerships.get(resource) ?? new Ownership(resource);
    this.#ownerships.set(resource, ownership);
    return ownership;
  }

  /** A client that gives no name has that of its program. */
  writer(
    {
      fieldManager,
      userAgent = "",
    }: { readonly fieldManager: string | undefined; readonly userAgent?: string | undefined },
    subresource: Writer["subresource"],
  ): Writer {
    const program = userAgent.split("/")[0] || "unknown";
    return {
      manager: fieldManager ?? program.slice(0, MANAGER_LENGTH_MAX),
      subresource,
      now: rfc3339(this.#clock.wall()),
    };
  }

  /** For a write that is no apply. `sent`: the object its body had, or made; managed fields in it are taken over. */
  onUpdate(
    resource: ApiResource,
    writer: Writer,
    sent: () => AnyObject | undefined,
  ): Pick<WriteOptions, "managedFields"> {
    // Of an event seen under its other name nobody owns a part: its members are stored under the first.
    if (resource.storedAs !== resource.kind) return {};
    const ownership = this.of(resource);
    const managedFields: Hook = (after, before) =>
      ownership.updated({ before, after, sent: sent()?.metadata.managedFields }, writer);
    return { managedFields };
  }
}

const MANAGER_LENGTH_MAX = 128;
